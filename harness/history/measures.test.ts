import t from 'tap'
import type { HistoryRecord, Witness, WitnessedRecord } from '../../contracts/history.ts'
import { podActivity } from './activity.ts'
import { affinityMatrix } from './affinity.ts'
import { callbackRoundTrips } from './round-trips.ts'

const by = (
  witness: Witness,
  pod: string,
  ...records: readonly HistoryRecord[]
): readonly WitnessedRecord[] => records.map((record) => Object.assign({ ...record }, { witness, pod }))

/** A pod's records of one call with a callback; `via` of the call, and of the reply where it reached a pod. */
function aCall(
  id: string,
  pod: string,
  at: number,
  reply: { pod: string; via?: string } | null,
  via?: string,
) {
  const ids = { requestId: `c${id}`, callbackId: `b${id}` }
  const received = {
    ...ids,
    component: '/x',
    attempt: 1,
    stream: true,
    ...(via === undefined ? {} : { via }),
  }
  const foreign = reply !== null && reply.pod !== pod
  const { callbackId } = ids
  const replyVia = reply?.via === undefined ? {} : { via: reply.via }
  return [
    ...by(
      'component-server',
      pod,
      { at, kind: 'execute.received', ...received },
      { at: at + 1, kind: 'callback.sent', ...ids, method: 'blobs/put' },
    ),
    ...(reply === null
      ? []
      : by(
          'component-server',
          reply.pod,
          foreign
            ? { at: at + 2, kind: 'callback.foreign', callbackId }
            : {
                at: at + 2,
                kind: 'callback.resolved',
                callbackId,
                roundTripUs: at,
                outcome: 'result',
                ...replyVia,
              },
        )),
  ]
}

t.test('the matrix has senders as rows and receivers as columns', async (t) => {
  const history = [
    ...aCall('1', 'pod-a', 100, { pod: 'pod-a' }),
    ...aCall('2', 'pod-b', 200, { pod: 'pod-b' }),
    ...aCall('3', 'pod-a', 300, { pod: 'pod-b' }),
    ...aCall('4', 'pod-c', 400, null),
  ]
  t.same(affinityMatrix(history), {
    rows: ['pod-a', 'pod-b', 'pod-c'],
    columns: ['pod-a', 'pod-b', 'pod-c'],
    counts: [
      [1, 1, 0],
      [0, 1, 0],
      [0, 0, 0],
    ],
    crossed: null,
  })
})

t.test('a callback crossed when its reply came through another balancer than its call', async (t) => {
  const history = [
    ...aCall('1', 'pod-a', 100, { pod: 'pod-a', via: '1.1 lb-1' }, '1.1 lb-1'),
    ...aCall('2', 'pod-a', 200, { pod: 'pod-a', via: '1.1 lb-2' }, '1.1 lb-1'),
    ...aCall('3', 'pod-a', 300, { pod: 'pod-a' }, '1.1 lb-1'),
  ]
  t.equal(affinityMatrix(history).crossed, 1)
})

t.test('round trips are exact, and those of a stretch where one is given', async (t) => {
  const history = [100, 200, 300].flatMap((at) => aCall(`${at}`, 'pod-a', at, { pod: 'pod-a' }))
  t.same(callbackRoundTrips(history), [100, 200, 300])
  t.same(callbackRoundTrips(history, { from: 150, until: 250 }), [200])
})

t.test('a pod counts its calls by seconds, and when it was ready', async (t) => {
  const pod = 'pod-a'
  const role = 'component-server'
  const state = (at: number, phase: 'Running' | 'Gone', ready: boolean): HistoryRecord => ({
    ...{ at, kind: 'pod.state', role, pod, address: '', phase, ready, restarts: 0 },
  })
  const history = [
    ...by(role, pod, {
      ...{ at: 0, kind: 'process.started', witness: role, pod, instanceId: 'pod-a-1', pid: 1, wallMs: 0 },
    }),
    ...by('harness', pod, state(500_000, 'Running', true)),
    ...aCall('1', pod, 1_200_000, { pod }),
    ...aCall('2', pod, 1_300_000, { pod }),
    ...aCall('3', pod, 3_100_000, { pod }),
    ...by('harness', pod, state(3_500_000, 'Gone', false)),
  ]
  t.same(podActivity(history, 1_000_000), [
    {
      ...{ pod, role, instanceId: 'pod-a-1', callsPerSecond: [2, 0, 1], calls: 3 },
      ...{ readyFrom: 500_000, readyUntil: 3_500_000 },
    },
  ])
  t.match(podActivity(history.slice(0, -1), 1_000_000), [{ readyFrom: 500_000, readyUntil: null }])
})
