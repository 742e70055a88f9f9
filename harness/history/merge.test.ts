import t from 'tap'
import type { HistoryRecord, Witness, WitnessedRecord } from '../../contracts/history.ts'
import { between, mergeHistory } from './merge.ts'

const by = (witness: Witness, pod: string, record: HistoryRecord): WitnessedRecord =>
  Object.assign({ ...record }, { witness, pod })

t.test('orders by time, and equal times as given', async (t) => {
  const window = (at: number, name: string) =>
    by('harness', 'harness', { at, kind: 'window', scenario: 's', window: name })
  const merged = mergeHistory([
    [window(2, 'b'), window(3, 'd')],
    [window(1, 'a'), window(2, 'c')],
  ])
  t.same(
    merged.map((record) => record.kind === 'window' && record.window),
    ['a', 'b', 'c', 'd'],
  )
})

t.test('a part keeps who runs, and leaves out what earlier runs left over', async (t) => {
  const runtime = (record: HistoryRecord) => by('runtime', 'runtime-1', record)
  const pod = (record: HistoryRecord) => by('component-server', 'pod-a', record)
  const step = { runId: 'r1', stepId: 's', item: 0, attempt: 1, requestId: 'c1' }
  const started = pod({
    ...{ at: 1, kind: 'process.started', witness: 'component-server', pod: 'pod-a', pid: 1, wallMs: 0 },
  })
  const history = [
    started,
    runtime({ at: 2, kind: 'run.accepted', runId: 'r1', flowId: 'f', inFlight: 1 }),
    runtime({ at: 3, kind: 'call.sent', ...step }),
    // From here on in the part.
    runtime({ at: 10, kind: 'run.accepted', runId: 'r2', flowId: 'f', inFlight: 2 }),
    pod({ at: 11, kind: 'execute.received', requestId: 'c1', component: '/x', attempt: 1, stream: true }),
    pod({ at: 12, kind: 'callback.sent', requestId: 'c1', callbackId: 'b1', method: 'blobs/put' }),
    pod({ at: 13, kind: 'callback.resolved', callbackId: 'b1', roundTripUs: 1, outcome: 'result' }),
    runtime({ at: 14, kind: 'step.result', ...step, outcome: 'success' }),
    runtime({ at: 15, kind: 'run.ended', runId: 'r1', status: 'completed', inFlight: 1 }),
    runtime({ at: 16, kind: 'run.ended', runId: 'r2', status: 'completed', inFlight: 0 }),
    runtime({ at: 21, kind: 'run.accepted', runId: 'r3', flowId: 'f', inFlight: 1 }),
  ]
  t.same(
    between(history, 10, 20).map(({ at }) => at),
    [1, 10, 16],
  )
})
