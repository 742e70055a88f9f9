// What a plugin is: something that runs components on behalf of steps.

import type { Json } from '../../wire/json.ts'
import type { BreakDetails, Cause, FlowError } from '../executor/failure.ts'
import type { Trace } from '../trace.ts'

/** One attempt of a step, as a plugin sees it. */
export interface StepCall {
  readonly runId: string
  readonly rootRunId: string
  readonly flowId: string
  readonly stepId: string
  /** Index of the run's item, from 0. */
  readonly item: number
  /** From 1. */
  readonly attempt: number
  /** The component's name as the plugin knows it: `/double`. */
  readonly component: string
  readonly input: Json
  /** What the run was started within. */
  readonly trace: Trace | null
  /** The attempt's own span, 16 hex digits; null where none is recorded. */
  readonly spanId: string | null
  /** Of the route, where it has its own. */
  readonly timeouts: CallTimeouts
  /** Calls back when the run is cancelled; the call should then end soon, however it likes. */
  onCancel(listener: () => void): void
  /** Lets another step of the run start while this one waits for steps of its own (sub-flows). */
  yieldSlot(): void
}

/** How long a call may take, in ms; what is absent is as the plugin has it. */
export interface CallTimeouts {
  /** The whole call; default 30 minutes. */
  readonly stepMs?: number
  /** Until the head of the answer; default none: a working component may be silent. */
  readonly firstByteMs?: number
  /** Between two parts of the answer; default none. */
  readonly idleMs?: number
}

export type CallOutcome =
  | { readonly kind: 'success'; readonly value: Json; readonly requestId?: string; readonly pod?: string }
  /** The component's own, typed failure: it becomes the step's result as it is. */
  | { readonly kind: 'failed'; readonly error: FlowError }
  /** The call broke: transport, protocol, or a component server's JSON-RPC error. */
  | {
      readonly kind: 'broken'
      readonly causes: readonly Cause[]
      readonly details: BreakDetails
      /** Said of the step itself, beside the component's name. */
      readonly attachments?: readonly string[]
      /** True: the component surely did not run, so it may be called again. */
      readonly unsent?: boolean
      readonly requestId?: string
    }

export interface ComponentInfo {
  readonly component: string
  readonly description?: string
  readonly inputSchema?: Json
  readonly outputSchema?: Json
}

export interface Plugin {
  /** True: its components run elsewhere, and the span of a call is that of a client. */
  readonly remote?: true
  /**
   * Makes the plugin ready for calls.
   * @throws GauntletError ERR_PLUGIN where it cannot be
   */
  start(signal: AbortSignal): Promise<void>
  /** Never throws; an outcome that is there at once need not be a promise. */
  execute(call: StepCall): CallOutcome | Promise<CallOutcome>
  /** @throws Error where the plugin cannot say */
  components(): Promise<readonly ComponentInfo[]>
  close(): Promise<void>
}
