// What a cluster lets faults do beyond its own operations; a hook that is absent is not possible there.

import type { Role } from './history.ts'

/** Bytes from whoever calls to the pod, from the pod to whoever called, or either. */
export type Direction = 'requests' | 'answers' | 'both'

/**
 * An exact moment of a live stream: `event` events (counted from 1) of the answer to one step's call have passed
 * the link, and the next has not. Absent fields match any.
 */
export interface Moment {
  readonly step?: string
  /** Wire name of the component, e.g. `/hold`. */
  readonly component?: string
  readonly event: number
}

/** What a link does to the bytes that pass; see docs/reference/faults.md. */
export type LinkEffect =
  | {
      readonly kind: 'latency'
      readonly direction: Direction
      readonly delayMs: number
      readonly jitterMs: number
    }
  | { readonly kind: 'bandwidth'; readonly direction: Direction; readonly bytesPerSecond: number }
  /** A lost segment stands for its retransmission: all behind it wait `stallMs`, doubled each time it is lost again. */
  | { readonly kind: 'loss'; readonly direction: Direction; readonly share: number; readonly stallMs: number }
  /** Nothing passes; what was sent arrives once it is over, as TCP's retransmissions do. */
  | { readonly kind: 'partition'; readonly direction: Direction }
  /** Connections of now go silent for good and are reset when it is over. */
  | { readonly kind: 'half-open'; readonly moment: Moment | null }
  /** Streams are reset after an event, each event with this chance. */
  | { readonly kind: 'reset'; readonly share: number; readonly moment: Moment | null }
  /** Whoever called takes so few bytes of each answer that the pod's writes back up. */
  | { readonly kind: 'slow-reader'; readonly bytesPerSecond: number }
  /** One byte of a JSON body or event becomes NUL, which is legal nowhere in JSON. */
  | { readonly kind: 'corrupt'; readonly share: number; readonly moment: Moment | null }
  /** An event is cut in its middle and the connection ended as if it were complete. */
  | { readonly kind: 'truncate'; readonly share: number; readonly moment: Moment | null }
  /** Events arrive in pieces of so many bytes, also within characters. */
  | { readonly kind: 'split'; readonly bytes: number; readonly gapMs: number }

/** What an effect has done so far. */
export interface LinkReport {
  /** How often it acted. */
  readonly hits: number
  /** Connections through the link now. */
  readonly connections: number
  /** The last thing it did, in a few words; empty before the first. */
  readonly last: string
}

/** The link that leads to a role's pods, or to one of them. */
export interface LinkAim {
  readonly role: Role
  readonly pod?: string
}

export interface LinkHooks {
  /** Roles whose pods are reached through a proxy. */
  readonly roles: readonly Role[]
  /** Puts an effect on a link, also to pods that come later; returns its id. The same seed makes the same choices. */
  add(aim: LinkAim, effect: LinkEffect, seed: number): Promise<string>
  /** Takes it away again; idempotent. */
  remove(id: string): Promise<void>
  report(id: string): Promise<LinkReport>
  /** Where the link to a pod is entered; null where there is none. */
  entrance(pod: string): Promise<{ readonly address: string; readonly port: number } | null>
  /**
   * Waits for a moment and holds every byte to and from that pod when it comes, until `release`, for 10 s at most.
   * Resolves with the pod's name and what released it; null when `signal` was aborted first.
   */
  moment(aim: LinkAim, moment: Moment, signal: AbortSignal): Promise<HeldMoment | null>
}

export interface HeldMoment {
  readonly pod: string
  release(): Promise<void>
}

export type DnsEffect =
  /** SERVFAIL to every question. */
  | { readonly kind: 'failing' }
  /** The name exists and has no addresses. */
  | { readonly kind: 'empty' }
  /** The answers of now, and the address of a pod that is gone, whatever comes and goes. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'slow'; readonly delayMs: number }

export interface ClusterHooks {
  /** Process id of the pod's program on this machine; null while none runs. */
  processId?(pod: string): Promise<number | null>
  /** Keeps a pod from counting as ready, whatever its probes say. */
  holdUnready?(pod: string, held: boolean): Promise<void>
  /** Arguments for Node, before the program's file, from the pod's next start in place on; none: as it was. */
  nodeArgs?(pod: string, args: readonly string[]): Promise<void>
  /** Folder that the pod has for temporary files, its TMPDIR. */
  temporaryFolder?(pod: string): string
  /** What the cluster's DNS does to questions; null: answer them well. */
  dns?(effect: DnsEffect | null): Promise<void>
  readonly links?: LinkHooks
}
