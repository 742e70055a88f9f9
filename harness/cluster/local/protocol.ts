// What the harness and the node agent say to each other over IPC.

import type { Pod, PodEvent, Role } from '../../../contracts/cluster.ts'
import { type ErrorCode, GauntletError } from '../../../contracts/errors.ts'
import type { DnsEffect, LinkAim, LinkEffect, LinkReport, Moment } from '../../../contracts/hooks.ts'
import type { Endpoint } from './addresses.ts'
import type { LocalSettings } from './settings.ts'

/** Everything the node agent needs to boot the cluster. */
export interface BootPlan {
  readonly settings: LocalSettings
  readonly replicas: Readonly<Record<Role, number>>
  readonly runtimeConfig: string
  readonly env: Readonly<Partial<Record<Role, Readonly<Record<string, string>>>>>
  readonly componentFiles: readonly string[]
  readonly nodeArgs: Readonly<Partial<Record<Role, readonly string[]>>>
  /** Roles whose pods are reached through a proxy. */
  readonly links: readonly Role[]
  /** Absolute; null: a temporary folder that goes with the cluster. */
  readonly directory: string | null
}

/** Where things are once the agent runs; the pods are still starting then. */
export interface Booted {
  readonly directory: string
  /** `address:port` of the DNS server. */
  readonly dns: string
  /** `address:port` of the Services that have an address of their own. */
  readonly services: Readonly<Partial<Record<Role, string>>>
  readonly addressing: string
  /** True: the kernel kills the pods when the agent dies. */
  readonly parentDeathSignal: boolean
}

export type Request =
  | { readonly kind: 'boot'; readonly plan: BootPlan }
  | { readonly kind: 'scale'; readonly role: Role; readonly replicas: number }
  | { readonly kind: 'delete'; readonly name: string; readonly gracePeriodMs: number | null }
  | {
      readonly kind: 'signal'
      readonly name: string
      readonly signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM' | 'SIGKILL'
    }
  | { readonly kind: 'rollout'; readonly role: Role }
  | { readonly kind: 'unready'; readonly name: string; readonly held: boolean }
  | { readonly kind: 'nodeArgs'; readonly name: string; readonly args: readonly string[] }
  | { readonly kind: 'dns'; readonly effect: DnsEffect | null }
  | LinkRequest
  | { readonly kind: 'stop' }

/** About the proxies on the way to pods; see links.ts. */
type LinkRequest =
  | {
      readonly kind: 'link.add'
      readonly aim: LinkAim
      readonly effect: LinkEffect
      readonly seed: number
    }
  | { readonly kind: 'link.remove'; readonly id: string }
  | { readonly kind: 'link.report'; readonly id: string }
  | { readonly kind: 'link.entrance'; readonly pod: string }
  | { readonly kind: 'link.moment'; readonly watch: string; readonly aim: LinkAim; readonly moment: Moment }
  | { readonly kind: 'link.release'; readonly watch: string }

/** What each request is answered with. */
export interface Replies {
  readonly boot: Booted
  readonly scale: null
  /** Once the pod's process is gone. */
  readonly delete: null
  readonly signal: null
  /** The new revision's name; the rollout goes on. */
  readonly rollout: string
  readonly unready: null
  readonly nodeArgs: null
  readonly dns: null
  /** Its id. */
  readonly 'link.add': string
  readonly 'link.remove': null
  readonly 'link.report': LinkReport
  readonly 'link.entrance': Endpoint | null
  /** The pod's name, once the moment has come; null: released before. */
  readonly 'link.moment': string | null
  readonly 'link.release': null
  readonly stop: null
}

export type ToAgent = { readonly id: number; readonly request: Request }

/** What the agent knows of a pod beyond the contract's Pod. */
export interface PodStatus {
  readonly revision: string
  /** Process id of its program; null while none runs. */
  readonly pid: number | null
  /** How its program ended last, e.g. `exit code 2`. */
  readonly lastExit: string | null
  /** Why it is not ready, e.g. `HTTP 503: no backend`; null when ready. */
  readonly notReady: string | null
}

export type FromAgent =
  | { readonly kind: 'reply'; readonly id: number; readonly value: Replies[Request['kind']] }
  | { readonly kind: 'refusal'; readonly id: number; readonly refusal: Refusal }
  | { readonly kind: 'pod'; readonly event: PodEvent; readonly status: PodStatus }
  /** Something changed that the contract's Pod does not show. */
  | { readonly kind: 'status'; readonly name: string; readonly status: PodStatus }

/** A GauntletError on its way through IPC. */
export interface Refusal {
  readonly code: ErrorCode
  readonly problem: string
  readonly field?: string
  readonly fix?: string
}

/** Thrown by the agent's side for what the caller must hear. */
export class Refused extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.problem)
    this.refusal = refusal
  }
}

export function errorOf({ code, problem, ...details }: Refusal): GauntletError {
  return new GauntletError(code, problem, details)
}

/** A pod in one phrase, for error texts. */
export function describePod(pod: Pod, status: PodStatus): string {
  const why = status.notReady === null ? 'ready' : `not ready: ${status.notReady}`
  const exit = status.lastExit === null ? '' : `, last end: ${status.lastExit}`
  return `${pod.name} ${pod.phase}, ${why}${exit}`
}
