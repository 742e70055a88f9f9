// The records of a history grouped by the operation they are about: offers, runs, steps, calls, callbacks, pods.

import type {
  CallAnswered,
  CallbackForeign,
  CallbackReceived,
  CallbackReplied,
  CallbackResolved,
  CallbackSent,
  CallSent,
  ExecuteAnswered,
  ExecuteReceived,
  History,
  ProcessStarted,
  RunAccepted,
  RunAnswered,
  RunEnded,
  RunOffered,
  StepResult,
  StepStarted,
  Witness,
} from '../../contracts/history.ts'

type By<R> = R & { readonly witness: Witness; readonly pod: string }

/** One arrival, as the client saw it. */
export interface Offer {
  readonly request: string
  offered: By<RunOffered> | undefined
  readonly answers: By<RunAnswered>[]
}

/** One run, as the runtime saw it. */
export interface Run {
  readonly runId: string
  accepted: By<RunAccepted> | undefined
  readonly ended: By<RunEnded>[]
  /** By step and item. */
  readonly steps: Map<string, Step>
  readonly calls: Call[]
}

export interface Step {
  readonly runId: string
  readonly stepId: string
  readonly item: number
  readonly started: By<StepStarted>[]
  readonly results: By<StepResult>[]
  readonly calls: Call[]
}

/** One components/execute request: what the runtime sent and what pods did of it. */
export interface Call {
  readonly requestId: string
  sent: By<CallSent> | undefined
  readonly answered: By<CallAnswered>[]
  readonly executes: By<ExecuteReceived>[]
  readonly executeAnswers: By<ExecuteAnswered>[]
  readonly results: By<StepResult>[]
}

/** One callback: pod to runtime and back. */
export interface Callback {
  readonly callbackId: string
  readonly sent: By<CallbackSent>[]
  readonly received: By<CallbackReceived>[]
  readonly replied: By<CallbackReplied>[]
  readonly resolved: By<CallbackResolved>[]
  readonly foreign: By<CallbackForeign>[]
}

export interface Operations {
  readonly offers: ReadonlyMap<string, Offer>
  readonly runs: ReadonlyMap<string, Run>
  readonly calls: ReadonlyMap<string, Call>
  readonly callbacks: ReadonlyMap<string, Callback>
  /** Processes of each pod in the order of their start: a pod restarted in place has several. */
  readonly processes: ReadonlyMap<string, readonly By<ProcessStarted>[]>
  /** Whose records there are. */
  readonly witnesses: ReadonlySet<Witness>
}

const known = new WeakMap<History, Operations>()

/** The operations of a history; of the same history the same object, so that many checkers share the work. */
export function operationsOf(history: History): Operations {
  let operations = known.get(history)
  if (operations === undefined) {
    operations = group(history)
    known.set(history, operations)
  }
  return operations
}

/** The process of `pod` that ran at `at`; undefined before its first. */
export function processAt(operations: Operations, pod: string, at: number): By<ProcessStarted> | undefined {
  return operations.processes.get(pod)?.findLast((process) => process.at <= at)
}

function group(history: History): Operations {
  const offers = new Map<string, Offer>()
  const runs = new Map<string, Run>()
  const calls = new Map<string, Call>()
  const callbacks = new Map<string, Callback>()
  const processes = new Map<string, By<ProcessStarted>[]>()
  const witnesses = new Set<Witness>()

  const offer = (request: string): Offer =>
    entry(offers, request, () => ({ request, offered: undefined, answers: [] }))
  const run = (runId: string): Run =>
    entry(runs, runId, () => ({ runId, accepted: undefined, ended: [], steps: new Map(), calls: [] }))
  const step = (runId: string, stepId: string, item: number): Step =>
    entry(run(runId).steps, `${stepId} ${item}`, () => ({
      ...{ runId, stepId, item },
      ...{ started: [], results: [], calls: [] },
    }))
  const call = (requestId: string): Call =>
    entry(calls, requestId, () => ({
      ...{ requestId, sent: undefined, answered: [] },
      ...{ executes: [], executeAnswers: [], results: [] },
    }))
  const callback = (callbackId: string): Callback =>
    entry(callbacks, callbackId, () => ({
      callbackId,
      ...{ sent: [], received: [], replied: [], resolved: [], foreign: [] },
    }))

  for (const record of history) {
    witnesses.add(record.witness)
    switch (record.kind) {
      case 'process.started':
        entry(processes, record.pod, () => []).push(record)
        break
      case 'run.offered':
        offer(record.request).offered = record
        break
      case 'run.answered':
        offer(record.request).answers.push(record)
        break
      case 'run.accepted':
        run(record.runId).accepted = record
        break
      case 'run.ended':
        run(record.runId).ended.push(record)
        break
      case 'step.started':
        step(record.runId, record.stepId, record.item).started.push(record)
        break
      case 'call.sent': {
        const sent = call(record.requestId)
        sent.sent = record
        run(record.runId).calls.push(sent)
        step(record.runId, record.stepId, record.item).calls.push(sent)
        break
      }
      case 'call.answered':
        call(record.requestId).answered.push(record)
        break
      case 'step.result':
        step(record.runId, record.stepId, record.item).results.push(record)
        if (record.requestId !== undefined) call(record.requestId).results.push(record)
        break
      case 'execute.received':
        call(record.requestId).executes.push(record)
        break
      case 'execute.answered':
        call(record.requestId).executeAnswers.push(record)
        break
      case 'callback.sent':
        callback(record.callbackId).sent.push(record)
        break
      case 'callback.received':
        callback(record.callbackId).received.push(record)
        break
      case 'callback.replied':
        callback(record.callbackId).replied.push(record)
        break
      case 'callback.resolved':
        callback(record.callbackId).resolved.push(record)
        break
      case 'callback.foreign':
        callback(record.callbackId).foreign.push(record)
        break
      case 'process.stopping':
      case 'backend.state':
      case 'request.routed':
      case 'chaos':
      case 'pod.state':
      case 'window':
      case 'pod.usage':
      case 'pod.health':
        break
    }
  }
  return { offers, runs, calls, callbacks, processes, witnesses }
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
