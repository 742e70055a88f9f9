// The harness's copy of what the node agent says about pods, and waiting for it to become what one wants.

import type { Pod, PodEvent, Role, WaitOptions } from '../../../contracts/cluster.ts'
import { GauntletError } from '../../../contracts/errors.ts'
import { describePod, type PodStatus } from './protocol.ts'

export interface KnownPod {
  readonly pod: Pod
  readonly status: PodStatus
  readonly gone: boolean
}

const defaultTimeoutMs = 30_000

export class PodTable {
  readonly #pods = new Map<string, KnownPod>()
  readonly #listeners = new Set<(event: PodEvent) => void>()
  readonly #waiters = new Set<() => void>()
  #failure: GauntletError | null = null

  update(event: PodEvent, status: PodStatus): void {
    this.#pods.set(event.pod.name, { pod: event.pod, status, gone: event.kind === 'gone' })
    for (const listener of [...this.#listeners]) listener(event)
    for (const waiter of [...this.#waiters]) waiter()
  }

  updateStatus(name: string, status: PodStatus): void {
    const known = this.#pods.get(name)
    if (known === undefined) return
    this.#pods.set(name, { ...known, status })
    for (const waiter of [...this.#waiters]) waiter()
  }

  /** No further updates will come: whoever waits is told why. */
  fail(error: GauntletError): void {
    this.#failure = error
    for (const waiter of [...this.#waiters]) waiter()
  }

  find(name: string): KnownPod | undefined {
    return this.#pods.get(name)
  }

  /** Every pod since boot, oldest first. */
  all(): readonly KnownPod[] {
    return [...this.#pods.values()]
  }

  /** Pods that are not gone, oldest first. */
  of(role: Role): readonly KnownPod[] {
    return this.all().filter((known) => known.pod.role === role && !known.gone)
  }

  watch(listener: (event: PodEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Resolves with what `check` returns as soon as that is not undefined; `check` may throw.
   * @param waitingFor what did not come, for the error's text
   * @throws GauntletError ERR_TIMEOUT; the signal's reason; ERR_CLUSTER when the cluster ends
   */
  wait<T>(check: () => T | undefined, waitingFor: () => string, options: WaitOptions = {}): Promise<T> {
    const { timeoutMs = defaultTimeoutMs, signal } = options
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer)
        this.#waiters.delete(look)
        signal?.removeEventListener('abort', aborted)
        settle()
      }
      const look = (): void => {
        try {
          if (this.#failure !== null) throw this.#failure
          const found = check()
          if (found !== undefined) finish(() => resolve(found))
        } catch (error) {
          finish(() => reject(error))
        }
      }
      const aborted = (): void => finish(() => reject(signal?.reason))
      const timer = setTimeout(() => {
        const problem = `not in ${timeoutMs} ms: ${waitingFor()}`
        finish(() => reject(new GauntletError('ERR_TIMEOUT', problem)))
      }, timeoutMs)
      this.#waiters.add(look)
      signal?.addEventListener('abort', aborted)
      if (signal?.aborted === true) aborted()
      else look()
    })
  }

  /** The role's pods in one phrase, for error texts. */
  describe(role: Role): string {
    const lines = this.of(role).map(({ pod, status }) => describePod(pod, status))
    return lines.length === 0 ? 'no pods' : lines.join('; ')
  }
}

/** The pods, once exactly `replicas` are ready and no others are left; else undefined. */
export function settled(known: readonly KnownPod[], replicas: number): readonly KnownPod[] | undefined {
  return known.length === replicas && known.every(({ pod }) => pod.ready) ? known : undefined
}
