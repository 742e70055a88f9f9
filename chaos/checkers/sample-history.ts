// Small histories for the tests of checkers: a run with one call and one callback, and ways to spoil it.

import type { History, HistoryRecord, Witness, WitnessedRecord } from '../../contracts/history.ts'

/** What makes one run different from another. Times in µs. */
export interface SampleRun {
  /** Default `1`; also the ids: request `q1`, run `r1`, call `c1`, callback `b1`. */
  readonly id?: string
  /** The pod that executes it; default `pod-a`. */
  readonly pod?: string
  /** When it is offered; default 1,000. It takes 130. */
  readonly at?: number
}

/** Records of a witness. */
export function witnessed(
  witness: Witness,
  pod: string,
  ...records: readonly HistoryRecord[]
): readonly WitnessedRecord[] {
  return records.map((record): WitnessedRecord => Object.assign({ ...record }, { witness, pod }))
}

/** A component-server process with instance id `<pod>-<incarnation>`. */
export function aProcess(pod: string, at = 0, incarnation = '1'): readonly WitnessedRecord[] {
  return witnessed('component-server', pod, {
    ...{ at, kind: 'process.started', witness: 'component-server', pod },
    ...{ instanceId: `${pod}-${incarnation}`, pid: 1, wallMs: 0 },
  })
}

/** A run that goes well. */
export function aRun({ id = '1', pod = 'pod-a', at = 1_000 }: SampleRun = {}): readonly WitnessedRecord[] {
  const ids = { requestId: `c${id}`, callbackId: `b${id}` }
  const step = { runId: `r${id}`, stepId: 's', item: 0 }
  const instanceId = `${pod}-1`
  const { requestId } = ids
  return [
    ...witnessed('client', 'client', {
      ...{ at, kind: 'run.offered', request: `q${id}`, workload: 'w', planned: at },
    }),
    ...witnessed(
      'runtime',
      'runtime-1',
      { at: at + 10, kind: 'run.accepted', runId: step.runId, flowId: 'f', inFlight: 1 },
      { at: at + 20, kind: 'step.started', ...step, component: '/python/x' },
      { at: at + 30, kind: 'call.sent', ...step, attempt: 1, requestId },
      { at: at + 60, kind: 'call.answered', requestId, status: 200, stream: true, instanceId },
      { at: at + 70, kind: 'callback.received', ...ids, method: 'blobs/put', instanceId },
      { at: at + 90, kind: 'callback.replied', ...ids, status: 202, instanceId },
      { at: at + 110, kind: 'step.result', ...step, attempt: 1, requestId, outcome: 'success', instanceId },
      { at: at + 120, kind: 'run.ended', runId: step.runId, status: 'completed', inFlight: 0 },
    ),
    ...witnessed(
      'component-server',
      pod,
      { at: at + 40, kind: 'execute.received', requestId, component: '/x', attempt: 1, stream: true },
      { at: at + 50, kind: 'callback.sent', ...ids, method: 'blobs/put' },
      {
        at: at + 80,
        kind: 'callback.resolved',
        callbackId: ids.callbackId,
        roundTripUs: 30,
        outcome: 'result',
      },
      { at: at + 100, kind: 'execute.answered', requestId, outcome: 'success' },
    ),
    ...witnessed('client', 'client', {
      ...{ at: at + 130, kind: 'run.answered', request: `q${id}`, outcome: 'completed', status: 200 },
      ...{ runId: step.runId, correct: true, foreign: false },
    }),
  ]
}

/** The records in their order. */
export function historyOf(...parts: readonly (readonly WitnessedRecord[])[]): History {
  return parts.flat().sort((a, b) => a.at - b.at)
}

/** Without the records of these kinds. */
export function without(
  records: readonly WitnessedRecord[],
  ...kinds: readonly HistoryRecord['kind'][]
): readonly WitnessedRecord[] {
  return records.filter(({ kind }) => !kinds.includes(kind))
}

/** With other fields in the records of a kind. */
export function changed(
  records: readonly WitnessedRecord[],
  kind: HistoryRecord['kind'],
  fields: Readonly<Record<string, unknown>>,
): readonly WitnessedRecord[] {
  return records.map((record) =>
    record.kind === kind ? (Object.assign({ ...record }, fields) as WitnessedRecord) : record,
  )
}

/** Only the records of these kinds. */
export function only(
  records: readonly WitnessedRecord[],
  ...kinds: readonly HistoryRecord['kind'][]
): readonly WitnessedRecord[] {
  return records.filter(({ kind }) => kinds.includes(kind))
}
