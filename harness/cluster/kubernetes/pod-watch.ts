// Follows the pods of the three roles for as long as the cluster is used: a watch that breaks is begun again.

import type { ListWatch, V1Pod } from '@kubernetes/client-node'
import type { PodEvent } from '../../../contracts/cluster.ts'
import { isReady, roleOf, type SeenPod, type SeenTimes, seenPod } from './pod-of.ts'

export interface PodWatchOptions {
  readonly watch: Pick<ListWatch<V1Pod>, 'on' | 'start' | 'stop'>
  /** µs of CLOCK_MONOTONIC. */
  readonly now: () => number
  /** Wall-clock ms of CLOCK_MONOTONIC zero: for pods that were there before. */
  readonly originMs: number
  readonly onPod: (event: PodEvent, seen: SeenPod) => void
  /** Called when the API server cannot be followed, with the reason, and with null when it can again. */
  readonly onTrouble: (error: Error | null) => void
}

/** Before the first attempt after a break, and at most, ms. */
const [firstPauseMs, longestPauseMs] = [100, 5_000]

export class PodWatch {
  readonly #options: PodWatchOptions
  readonly #seen = new Map<string, SeenPod>()
  #listed = false
  #stopped = false
  #broken = false
  #pauseMs = firstPauseMs
  #timer: NodeJS.Timeout | undefined

  constructor(options: PodWatchOptions) {
    this.#options = options
    options.watch.on('add', (pod) => this.#look(pod))
    options.watch.on('update', (pod) => this.#look(pod))
    options.watch.on('delete', (pod) => this.#gone(pod))
    options.watch.on('error', (error: unknown) => this.#beginAgain(error))
  }

  /** Resolves when the pods that are there now have been told, or the first attempt has failed. */
  async start(): Promise<void> {
    this.#broken = false
    await this.#options.watch.start()
    if (this.#broken || this.#stopped) return
    this.#listed = true
    this.#pauseMs = firstPauseMs
    this.#options.onTrouble(null)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    void this.#options.watch.stop()
  }

  /** The watch goes on from where it was; where that is too old, what is gone since is told as gone. */
  #beginAgain(error: unknown): void {
    if (this.#stopped) return
    this.#broken = true
    this.#options.onTrouble(error instanceof Error ? error : new Error(String(error)))
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.start(), this.#pauseMs)
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2)
  }

  #look(pod: V1Pod): void {
    const role = roleOf(pod)
    const name = pod.metadata?.name
    if (role === null || name === undefined) return
    const before = this.#seen.get(name)
    const seen = seenPod(pod, role, this.#times(pod, before))
    if (seen.ended) {
      // Evicted by the kubelet, say: the object stays, the pod does not.
      if (before !== undefined) this.#tellGone(before)
      return
    }
    this.#seen.set(name, seen)
    if (JSON.stringify(before) === JSON.stringify(seen)) return
    this.#options.onPod(
      { at: this.#options.now(), kind: before === undefined ? 'added' : 'changed', pod: seen.pod },
      seen,
    )
  }

  #gone(pod: V1Pod): void {
    const before = this.#seen.get(pod.metadata?.name ?? '')
    if (before !== undefined) this.#tellGone(before)
  }

  #tellGone(before: SeenPod): void {
    this.#seen.delete(before.pod.name)
    const phase = before.pod.phase === 'Failed' ? 'Failed' : 'Succeeded'
    const gone: SeenPod = { ...before, pod: { ...before.pod, phase, ready: false }, ended: true }
    this.#options.onPod({ at: this.#options.now(), kind: 'gone', pod: gone.pod }, gone)
  }

  /** The API server's times are whole seconds of its own clock; what happens under our eyes we time ourselves. */
  #times(pod: V1Pod, before: SeenPod | undefined): SeenTimes {
    const now = this.#options.now()
    const toUs = (date: Date | string | undefined): number =>
      date === undefined ? now : Math.min(now, (new Date(date).getTime() - this.#options.originMs) * 1000)
    const createdAt = before?.pod.createdAt ?? (this.#listed ? now : toUs(pod.metadata?.creationTimestamp))
    if (before?.pod.readyAt !== undefined) return { createdAt, readyAt: before.pod.readyAt }
    if (!isReady(pod)) return { createdAt }
    const condition = pod.status?.conditions?.find(({ type }) => type === 'Ready')
    return { createdAt, readyAt: this.#listed ? now : toUs(condition?.lastTransitionTime) }
  }
}
