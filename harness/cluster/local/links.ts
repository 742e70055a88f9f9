// The proxies on the way to pods: one in front of each pod of the roles that have them, and what is done to them.

import { FaultProxy } from '../../../chaos/proxy/proxy.ts'
import type { Role } from '../../../contracts/cluster.ts'
import type { LinkAim, LinkEffect, LinkReport, Moment } from '../../../contracts/hooks.ts'
import type { Endpoint } from './addresses.ts'

export interface LinksOptions {
  readonly log: (event: string, fields: object) => void
  /** A role's pod can be reached now. */
  readonly changed: (role: Role) => void
}

interface Link {
  readonly pod: string
  readonly role: Role
  /** Null until it listens. */
  proxy: FaultProxy | null
  isDropped: boolean
}

/** An effect, with its id at each proxy that has it. */
interface Standing {
  readonly aim: LinkAim
  readonly effect: LinkEffect
  readonly seed: number
  readonly placed: Map<string, string>
  /** Hits at proxies that are no more. */
  hits: number
  last: string
}

interface Watching {
  readonly aim: LinkAim
  readonly moment: Moment
  readonly ends: (() => void)[]
  readonly came: (pod: string | null) => void
  timer: NodeJS.Timeout | null
}

/** A moment is held for so long at most, so that nobody's death leaves a link held. */
const longestHoldMs = 10_000
const listenRetryMs = 100

export class Links {
  readonly #options: LinksOptions
  readonly #links = new Map<string, Link>()
  readonly #standing = new Map<string, Standing>()
  readonly #watches = new Map<string, Watching>()
  #nextId = 1
  #isClosed = false

  constructor(options: LinksOptions) {
    this.#options = options
  }

  /** Puts a proxy in front of a new pod. */
  open(at: {
    readonly pod: string
    readonly role: Role
    readonly upstream: Endpoint
    readonly listen: Endpoint
  }): void {
    const { pod, role, upstream, listen } = at
    const link: Link = { pod, role, proxy: null, isDropped: false }
    this.#links.set(pod, link)
    const start = (): void => {
      if (link.isDropped || this.#isClosed) return
      FaultProxy.start({ listen, upstream }).then(
        (proxy) => {
          if (link.isDropped || this.#isClosed) return proxy.close()
          link.proxy = proxy
          for (const standing of this.#standing.values()) this.#place(standing, link)
          for (const watching of this.#watches.values()) this.#watch(watching, link)
          this.#options.changed(role)
        },
        (error: Error) => {
          this.#options.log('link cannot listen', { pod, ...listen, error: error.message })
          setTimeout(start, listenRetryMs).unref()
        },
      )
    }
    start()
  }

  /** The pod is gone. */
  drop(pod: string): void {
    const link = this.#links.get(pod)
    if (link === undefined) return
    for (const standing of this.#standing.values()) {
      const id = standing.placed.get(pod)
      if (id === undefined) continue
      const report = link.proxy?.report(id)
      standing.hits += report?.hits ?? 0
      standing.last = report?.last || standing.last
      standing.placed.delete(pod)
    }
    link.isDropped = true
    link.proxy?.close()
    this.#links.delete(pod)
  }

  entrance(pod: string): Endpoint | null {
    return this.#links.get(pod)?.proxy?.entrance ?? null
  }

  add(aim: LinkAim, effect: LinkEffect, seed: number): string {
    const id = String(this.#nextId++)
    const standing: Standing = { aim, effect, seed, placed: new Map(), hits: 0, last: '' }
    this.#standing.set(id, standing)
    for (const link of this.#links.values()) this.#place(standing, link)
    return id
  }

  remove(id: string): void {
    for (const [pod, placed] of this.#standing.get(id)?.placed ?? [])
      this.#links.get(pod)?.proxy?.remove(placed)
    this.#standing.delete(id)
  }

  report(id: string): LinkReport {
    const standing = this.#standing.get(id)
    let { hits, last } = standing ?? { hits: 0, last: '' }
    let connections = 0
    for (const [pod, placed] of standing?.placed ?? []) {
      const report = this.#links.get(pod)?.proxy?.report(placed)
      hits += report?.hits ?? 0
      connections += report?.connections ?? 0
      if (report !== undefined && report.last !== '') last = report.last
    }
    return { hits, connections, last }
  }

  /** Resolves with the pod when the moment comes, whose link is then held; null: released before. */
  moment(watch: string, aim: LinkAim, moment: Moment): Promise<string | null> {
    return new Promise((resolve) => {
      const watching: Watching = { aim, moment, ends: [], came: resolve, timer: null }
      this.#watches.set(watch, watching)
      for (const link of this.#links.values()) this.#watch(watching, link)
    })
  }

  release(watch: string): void {
    const watching = this.#watches.get(watch)
    if (watching === undefined) return
    this.#watches.delete(watch)
    if (watching.timer !== null) clearTimeout(watching.timer)
    for (const end of watching.ends) end()
    watching.came(null)
  }

  close(): void {
    this.#isClosed = true
    for (const watch of [...this.#watches.keys()]) this.release(watch)
    for (const pod of [...this.#links.keys()]) this.drop(pod)
  }

  #place(standing: Standing, { pod, role, proxy }: Link): void {
    if (proxy === null || !isAt(standing.aim, role, pod)) return
    // Another choice at each pod, the same each time.
    standing.placed.set(pod, proxy.add(standing.effect, standing.seed + standing.placed.size))
  }

  #watch(watching: Watching, { pod, role, proxy }: Link): void {
    if (proxy === null || !isAt(watching.aim, role, pod) || watching.timer !== null) return
    const end = proxy.watch(watching.moment, () => {
      if (watching.timer !== null) return void end()
      watching.timer = setTimeout(end, longestHoldMs)
      watching.came(pod)
    })
    watching.ends.push(end)
  }
}

function isAt(aim: LinkAim, role: Role, pod: string): boolean {
  return aim.role === role && (aim.pod === undefined || aim.pod === pod)
}
