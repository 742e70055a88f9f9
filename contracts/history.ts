// The records that client, runtime, balancer and component server leave of a trial, one a line.
//
// A line is the record as a JSON object or, where a program leaves many, the array of `fieldsInOrder`.
// A program writes them when HISTORY_FILE names a file; each record leaves the process, by a write or into memory that
// outlives it, before the bytes it witnesses do, so a killed pod's last records are missing at worst, never wrong.

/** The roles of the system. In Kubernetes: stepflow-server, pingora-lb, component-server. */
export type Role = 'runtime' | 'balancer' | 'component-server'

/** The witness that wrote a record: a role, the load generator, or the harness itself. */
export type Witness = Role | 'client' | 'harness'

/**
 * Fields of every record. `at` is in microseconds of CLOCK_MONOTONIC (process.hrtime), which all processes
 * of one machine share; `ProcessStarted.wallMs` ties it to wall-clock time.
 */
interface At {
  readonly at: number
}

/** First record of every file. */
export interface ProcessStarted extends At {
  readonly kind: 'process.started'
  readonly witness: Witness
  readonly pod: string
  /** Of a component server: `<pod>-<8 hex digits>`. */
  readonly instanceId?: string
  readonly pid: number
  /** Wall-clock time of `at`, ms since the epoch. */
  readonly wallMs: number
}

export interface ProcessStopping extends At {
  readonly kind: 'process.stopping'
  readonly reason: string
}

// ---- client -----------------------------------------------------------------------------------------------

/** One arrival of the load. `request` is unique in the trial. */
export interface RunOffered extends At {
  readonly kind: 'run.offered'
  readonly request: string
  readonly workload: string
  /** Planned start, on the clock of `at`. */
  readonly planned: number
}

/**
 * The client's last word on an arrival. `unknown`: no answer, so it may or may not have run.
 * `correct` says whether the result equals the expected value; absent where there is none to compare.
 * `foreign` says whether it is the value expected for another input; absent where several inputs share one.
 */
/** How the error of an arrival begins that was sent and had no answer in the client's time. */
export const noAnswer = 'no answer within'

export interface RunAnswered extends At {
  readonly kind: 'run.answered'
  readonly request: string
  readonly outcome: 'completed' | 'failed' | 'refused' | 'unknown'
  readonly status?: number
  readonly runId?: string
  readonly correct?: boolean
  readonly foreign?: boolean
  /** Begins with `noAnswer` where the client gave up waiting. */
  readonly error?: string
  /** The wrong value, cut to 200 characters. */
  readonly got?: string
}

// ---- runtime ----------------------------------------------------------------------------------------------

export interface RunAccepted extends At {
  readonly kind: 'run.accepted'
  readonly runId: string
  readonly flowId: string
  /** Runs that are not ended yet, this one included. */
  readonly inFlight: number
}

export interface RunEnded extends At {
  readonly kind: 'run.ended'
  readonly runId: string
  readonly status: 'completed' | 'failed' | 'cancelled'
  readonly inFlight: number
}

export interface StepStarted extends At {
  readonly kind: 'step.started'
  readonly runId: string
  readonly stepId: string
  /** Index of the run's item (input), from 0. */
  readonly item: number
  readonly component: string
}

/** A components/execute request about to be written. `requestId` is the JSON-RPC id. */
export interface CallSent extends At {
  readonly kind: 'call.sent'
  readonly runId: string
  readonly stepId: string
  readonly item: number
  /** From 1. */
  readonly attempt: number
  readonly requestId: string
}

/** The response head of a call arrived. */
export interface CallAnswered extends At {
  readonly kind: 'call.answered'
  readonly requestId: string
  readonly status: number
  readonly stream: boolean
  readonly instanceId?: string
}

/** A callback (a request of the component) read from a call's stream. */
export interface CallbackReceived extends At {
  readonly kind: 'callback.received'
  readonly requestId: string
  readonly callbackId: string
  readonly method: string
  readonly instanceId?: string
}

/** The runtime's reply to a callback is done: `status` is the HTTP status it got, 0 for none. */
export interface CallbackReplied extends At {
  readonly kind: 'callback.replied'
  readonly requestId: string
  readonly callbackId: string
  readonly instanceId?: string
  readonly status: number
  readonly error?: string
}

/** A step's result is recorded in the state store: exactly once for each step of each item. */
export interface StepResult extends At {
  readonly kind: 'step.result'
  readonly runId: string
  readonly stepId: string
  readonly item: number
  readonly attempt: number
  readonly requestId?: string
  readonly outcome: 'success' | 'failed'
  readonly instanceId?: string
  /** Message of the failure. */
  readonly error?: string
}

// ---- balancer ---------------------------------------------------------------------------------------------

/** A pod came, went or changed state, as the balancer sees it. */
export interface BackendState extends At {
  readonly kind: 'backend.state'
  readonly backend: string
  readonly instanceId?: string
  readonly state: 'ready' | 'ejected' | 'draining' | 'gone'
  readonly reason?: string
}

/**
 * A request was answered or given up. `backend` is absent when none was chosen; `pinned` is the request's
 * Stepflow-Instance-Id; `instanceId` the response's.
 */
export interface RequestRouted extends At {
  readonly kind: 'request.routed'
  readonly backend?: string
  readonly pinned?: string
  readonly instanceId?: string
  readonly stream: boolean
  readonly status: number
  readonly reason?: string
}

// ---- component server -------------------------------------------------------------------------------------

/**
 * The pod read a whole components/execute request. Ids are those of its `observability`, where given. `via`
 * is its Via header (RFC 9110 7.6.3), in which a balancer names its own pod.
 */
export interface ExecuteReceived extends At {
  readonly kind: 'execute.received'
  readonly requestId: string
  readonly component: string
  readonly attempt: number
  readonly runId?: string
  readonly stepId?: string
  readonly stream: boolean
  readonly via?: string
}

export interface ExecuteAnswered extends At {
  readonly kind: 'execute.answered'
  readonly requestId: string
  readonly outcome: 'success' | 'failed' | 'aborted'
  readonly error?: string
}

/** The pod is about to write a callback into the stream of `requestId`. */
export interface CallbackSent extends At {
  readonly kind: 'callback.sent'
  readonly requestId: string
  readonly callbackId: string
  readonly method: string
}

/**
 * The reply to a callback reached the pod that sent it. `roundTripUs`: from just before the write, in µs.
 * `via` is the reply's Via header: another balancer's than the call's means that the callback crossed.
 */
export interface CallbackResolved extends At {
  readonly kind: 'callback.resolved'
  readonly callbackId: string
  readonly roundTripUs: number
  readonly outcome: 'result' | 'error'
  readonly via?: string
}

/** A reply reached a pod that does not wait for it: the proof of a broken affinity, or of a double reply. */
export interface CallbackForeign extends At {
  readonly kind: 'callback.foreign'
  readonly callbackId: string
  /** The Stepflow-Instance-Id header that came with it. */
  readonly pinned?: string
}

// ---- harness ----------------------------------------------------------------------------------------------

/** A fault or an operation on the cluster: requested, seen to be in effect, seen to be gone. */
export interface ChaosEvent extends At {
  readonly kind: 'chaos'
  readonly name: string
  readonly phase: 'requested' | 'observed' | 'cleared'
  readonly role?: Role
  readonly pod?: string
  readonly detail?: string
}

/** A pod's phase as the cluster sees it. */
export interface PodState extends At {
  readonly kind: 'pod.state'
  readonly role: Role
  readonly pod: string
  readonly address: string
  readonly phase: 'Pending' | 'Running' | 'Terminating' | 'Succeeded' | 'Failed' | 'Gone'
  readonly ready: boolean
  readonly restarts: number
}

/** A stretch of a trial with a name: warm-up, control, fault, recovery. Ends where the next begins. */
export interface WindowStarted extends At {
  readonly kind: 'window'
  readonly scenario: string
  readonly window: string
}

/**
 * What a pod holds, by its own /metrics: `before` the load, `during` it (a soak, at intervals), and `after` it has
 * settled. Figures that the pod does not tell are absent.
 */
export interface PodUsage extends At {
  readonly kind: 'pod.usage'
  readonly role: Role
  readonly pod: string
  readonly phase: 'before' | 'during' | 'after'
  /** Counters of work in hand by their names; all 0 when nothing is under way. */
  readonly open: Readonly<Record<string, number>>
  /** How often, since its process began, it came to what a record of that kind witnesses. */
  readonly counted?: Readonly<Record<string, number>>
  /** Bytes of the heap in use, with the buffers outside of it. */
  readonly heapBytes?: number
  /** Resident memory of the process, bytes. */
  readonly memoryBytes?: number
  /** Timers that keep the process alive. */
  readonly timers?: number
  /** Open connections and other file descriptors. */
  readonly files?: number
}

/**
 * What a pod said of its health when the harness asked. `backends` is a balancer's word on the component servers it
 * knows, by instance id.
 */
export interface PodHealth extends At {
  readonly kind: 'pod.health'
  readonly role: Role
  readonly pod: string
  readonly says: 'ready' | 'not ready' | 'nothing'
  readonly backends?: Readonly<Record<string, boolean>>
}

export type HistoryRecord =
  | ProcessStarted
  | ProcessStopping
  | RunOffered
  | RunAnswered
  | RunAccepted
  | RunEnded
  | StepStarted
  | CallSent
  | CallAnswered
  | CallbackReceived
  | CallbackReplied
  | StepResult
  | BackendState
  | RequestRouted
  | ExecuteReceived
  | ExecuteAnswered
  | CallbackSent
  | CallbackResolved
  | CallbackForeign
  | ChaosEvent
  | PodState
  | WindowStarted
  | PodUsage
  | PodHealth

/**
 * Kinds whose line may be `[kind, at, ...values]`, and the order of the values: null for what is absent. Written
 * in half the time (docs/benchmarks.md, History).
 */
export const fieldsInOrder = {
  'run.accepted': ['runId', 'flowId', 'inFlight'],
  'run.ended': ['runId', 'status', 'inFlight'],
  'step.started': ['runId', 'stepId', 'item', 'component'],
  'call.sent': ['runId', 'stepId', 'item', 'attempt', 'requestId'],
  'call.answered': ['requestId', 'status', 'stream', 'instanceId'],
  'callback.received': ['requestId', 'callbackId', 'method', 'instanceId'],
  'callback.replied': ['requestId', 'callbackId', 'status', 'instanceId', 'error'],
  'step.result': ['runId', 'stepId', 'item', 'attempt', 'outcome', 'requestId', 'instanceId', 'error'],
  'request.routed': ['status', 'stream', 'backend', 'pinned', 'instanceId', 'reason'],
  'execute.received': ['requestId', 'component', 'attempt', 'stream', 'runId', 'stepId', 'via'],
  'execute.answered': ['requestId', 'outcome', 'error'],
  'callback.sent': ['requestId', 'callbackId', 'method'],
  'callback.resolved': ['callbackId', 'roundTripUs', 'outcome', 'via'],
} as const satisfies {
  readonly [Kind in HistoryRecord['kind']]?: readonly Exclude<
    keyof Extract<HistoryRecord, { kind: Kind }>,
    'at' | 'kind'
  >[]
}

/** A record as the merged history holds it: with the witness and pod of the file it came from. */
export type WitnessedRecord = HistoryRecord & { readonly witness: Witness; readonly pod: string }

/** Records of all witnesses in the order of `at`. */
export type History = readonly WitnessedRecord[]
