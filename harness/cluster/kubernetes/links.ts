// The links of a Kubernetes cluster: the proxy that each pod's agent is, where the deployment has the component `links`.

import type { Role } from '../../../contracts/cluster.ts'
import type {
  HeldMoment,
  LinkAim,
  LinkEffect,
  LinkHooks,
  LinkReport,
  Moment,
} from '../../../contracts/hooks.ts'

/** A pod's agent, as far as this is concerned. */
export interface LinkedPod {
  readonly name: string
  readonly role: Role
  link<T extends object>(what: 'add' | 'remove' | 'report' | 'moment' | 'release', body: object): Promise<T>
}

export interface KubernetesLinksOptions {
  /** Pods of now whose agent is a proxy. */
  readonly pods: () => readonly LinkedPod[]
  /** `host:port` where a pod's program is reached from here; null: there is no such pod. */
  readonly entrance: (pod: string) => string | null
}

interface Standing {
  readonly aim: LinkAim
  readonly effect: LinkEffect
  readonly seed: number
  /** The effect's id at each pod that has it; a promise while it is asked for. */
  readonly placed: Map<string, Promise<string>>
  /** What was last heard from each. */
  readonly reports: Map<string, LinkReport>
}

interface Watching {
  readonly aim: LinkAim
  readonly ask: (pod: LinkedPod) => void
}

const nothing: LinkReport = { hits: 0, connections: 0, last: '' }

export class KubernetesLinks implements LinkHooks {
  readonly #options: KubernetesLinksOptions
  readonly #standing = new Map<string, Standing>()
  readonly #watches = new Set<Watching>()
  #nextId = 1

  constructor(options: KubernetesLinksOptions) {
    this.#options = options
  }

  get roles(): readonly Role[] {
    return [...new Set(this.#options.pods().map(({ role }) => role))]
  }

  /** A pod came: what stands on its role's links stands on its link too. */
  podCame(pod: LinkedPod): void {
    for (const standing of this.#standing.values()) this.#place(standing, pod)?.catch(() => {})
    for (const { aim, ask } of this.#watches) if (isAt(aim, pod)) ask(pod)
  }

  async add(aim: LinkAim, effect: LinkEffect, seed: number): Promise<string> {
    const id = String(this.#nextId++)
    const standing: Standing = { aim, effect, seed, placed: new Map(), reports: new Map() }
    this.#standing.set(id, standing)
    await Promise.all(this.#options.pods().map((pod) => this.#place(standing, pod)))
    return id
  }

  async remove(id: string): Promise<void> {
    const standing = this.#standing.get(id)
    this.#standing.delete(id)
    if (standing === undefined) return
    await Promise.all(
      this.#there(standing).map(async ([pod, placed]) => pod.link('remove', { id: await placed })),
    )
  }

  async report(id: string): Promise<LinkReport> {
    const standing = this.#standing.get(id)
    if (standing === undefined) return nothing
    await Promise.all(
      this.#there(standing).map(async ([pod, placed]) => {
        const report = await pod.link<LinkReport>('report', { id: await placed }).catch(() => null)
        if (report !== null) standing.reports.set(pod.name, report)
      }),
    )
    const now = new Set(this.#options.pods().map(({ name }) => name))
    return [...standing.reports].reduce<LinkReport>(
      (sum, [pod, report]) => ({
        hits: sum.hits + report.hits,
        connections: sum.connections + (now.has(pod) ? report.connections : 0),
        last: report.last === '' ? sum.last : report.last,
      }),
      nothing,
    )
  }

  async entrance(pod: string): Promise<{ readonly address: string; readonly port: number } | null> {
    const [, address, port] = /^\[?([^[\]]+)\]?:(\d+)$/.exec(this.#options.entrance(pod) ?? '') ?? []
    return address === undefined ? null : { address, port: Number(port) }
  }

  moment(aim: LinkAim, moment: Moment, signal: AbortSignal): Promise<HeldMoment | null> {
    const watch = String(this.#nextId++)
    return new Promise((resolve) => {
      const asked = new Set<LinkedPod>()
      let isOver = false
      const release = (pod: LinkedPod): Promise<object> => pod.link('release', { watch }).catch(() => nothing)
      const settle = (held: LinkedPod | null): void => {
        if (isOver) return
        isOver = true
        this.#watches.delete(watching)
        signal.removeEventListener('abort', abort)
        for (const pod of asked) if (pod !== held) void release(pod)
        resolve(held === null ? null : { pod: held.name, release: async () => void (await release(held)) })
      }
      const abort = (): void => settle(null)
      const ask = (pod: LinkedPod): void => {
        if (asked.has(pod) || isOver) return
        asked.add(pod)
        pod.link<{ readonly came: boolean }>('moment', { watch, moment }).then(
          ({ came }) => {
            if (came) settle(pod)
          },
          // The pod is gone: the moment may come at another.
          () => {},
        )
      }
      const watching: Watching = { aim, ask }
      this.#watches.add(watching)
      signal.addEventListener('abort', abort)
      if (signal.aborted) return abort()
      for (const pod of this.#options.pods()) if (isAt(aim, pod)) ask(pod)
    })
  }

  #place(standing: Standing, pod: LinkedPod): Promise<string> | null {
    const { aim, effect, placed } = standing
    if (!isAt(aim, pod) || placed.has(pod.name)) return null
    // Another choice at each pod, the same each time.
    const seed = standing.seed + placed.size
    const asked = pod.link<{ readonly id: string }>('add', { effect, seed }).then(({ id }) => id)
    placed.set(pod.name, asked)
    asked.catch(() => placed.delete(pod.name))
    return asked
  }

  /** Pods of now that have the effect. */
  #there({ placed }: Standing): readonly (readonly [LinkedPod, Promise<string>])[] {
    return this.#options.pods().flatMap((pod) => {
      const id = placed.get(pod.name)
      return id === undefined ? [] : [[pod, id] as const]
    })
  }
}

function isAt(aim: LinkAim, { name, role }: LinkedPod): boolean {
  return aim.role === role && (aim.pod === undefined || aim.pod === name)
}
