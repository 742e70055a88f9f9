import t from 'tap'
import type { History, HistoryRecord, PodState, Witness, WitnessedRecord } from '../../contracts/history.ts'
import {
  completedIn,
  failureDelays,
  inFlightSeries,
  leastInFlight,
  percentile,
  readyPerSecond,
  runTimes,
  streamsWaiting,
  timeToRecover,
} from './measures.ts'

const by =
  (witness: Witness, pod: string) =>
  (record: HistoryRecord): WitnessedRecord =>
    Object.assign({ ...record }, { witness, pod })
const runtime = by('runtime', 'runtime-1')
const client = by('client', 'client')
const podA = by('component-server', 'a')
const podB = by('component-server', 'b')

const accepted = (at: number, runId: string, inFlight: number) =>
  runtime({ at, kind: 'run.accepted', runId, flowId: 'f', inFlight })
const ended = (at: number, runId: string, inFlight: number, status: 'completed' | 'failed' = 'completed') =>
  runtime({ at, kind: 'run.ended', runId, status, inFlight })
const sent = (at: number, runId: string, requestId: string) =>
  runtime({ at, kind: 'call.sent', runId, stepId: 's', item: 0, attempt: 1, requestId })

t.test('the least in flight counts what was in flight when the stretch began', async (t) => {
  const history = [accepted(10, '1', 1), accepted(20, '2', 2), accepted(200, '3', 3), ended(300, '1', 2)]
  t.strictSame(leastInFlight(history, { from: 100, until: 400 }), { least: 2, samples: 2 })
  t.strictSame(leastInFlight(history, { from: 0, until: 400 }), { least: 1, samples: 4 })
  t.equal(leastInFlight(history, { from: 500, until: 600 }), null, 'nothing recorded is not zero')
})

t.test('a dip in flight is seen, however short', async (t) => {
  const history = [accepted(10, '1', 60), ended(150, '1', 3), accepted(151, '2', 60)]
  t.equal(leastInFlight(history, { from: 100, until: 400 })?.least, 3)
})

t.test('the series holds the last count of each second', async (t) => {
  const history = [accepted(1_500_000, '1', 5), ended(2_500_000, '1', 4)]
  t.strictSame(inFlightSeries(history, { from: 0, until: 4_000_000 }), [null, 5, 4, 4])
})

t.test('ready pods are counted at the end of each second, those that were there before too', async (t) => {
  const state = (at: number, pod: string, phase: PodState['phase'], ready: boolean): WitnessedRecord => {
    const rest = { role: 'balancer', address: 'a', restarts: 0 } as const
    return { witness: 'harness', kind: 'pod.state', ...rest, at, pod, phase, ready }
  }
  const history: History = [
    state(0, 'a', 'Running', true),
    state(1_500_000, 'b', 'Running', true),
    state(2_500_000, 'a', 'Terminating', false),
    state(2_600_000, 'c', 'Running', false),
  ]
  t.strictSame(readyPerSecond(history, 'balancer', { from: 1_000_000, until: 4_000_000 }), [2, 1, 1])
  t.strictSame(readyPerSecond(history, 'runtime', { from: 1_000_000, until: 3_000_000 }), [0, 0])
})

t.test('runs have a duration, and those without a callback are counted', async (t) => {
  const history = [
    accepted(100, '1', 1),
    sent(110, '1', 'c1'),
    runtime({ at: 120, kind: 'callback.received', requestId: 'c1', callbackId: 'b1', method: 'blobs/put' }),
    ended(250_100, '1', 0),
    accepted(300_000, '2', 1),
    ended(310_000, '2', 0),
  ]
  const { ms, withoutCallback } = runTimes(history, { from: 0, until: 1e6 })
  t.strictSame([...ms], [250, 10])
  t.equal(withoutCallback, 1)
  t.strictSame(runTimes(history, { from: 200_000, until: 1e6 }).ms, [10], 'only runs accepted in the stretch')
})

t.test('completed runs are counted by workload and by the time of their answer', async (t) => {
  const history: History = [
    client({ at: 1, kind: 'run.offered', request: 'a', workload: 'w', planned: 1 }),
    client({ at: 2, kind: 'run.offered', request: 'b', workload: 'other', planned: 2 }),
    client({ at: 3, kind: 'run.offered', request: 'c', workload: 'w', planned: 3 }),
    client({ at: 10, kind: 'run.answered', request: 'a', outcome: 'completed' }),
    client({ at: 11, kind: 'run.answered', request: 'b', outcome: 'completed' }),
    client({ at: 12, kind: 'run.answered', request: 'c', outcome: 'failed' }),
  ]
  t.equal(completedIn(history, 'w', { from: 0, until: 20 }), 1)
  t.equal(completedIn(history, 'w', { from: 11, until: 20 }), 0)
})

t.test('streams wait while a callback of theirs has no reply, by the pod itself', async (t) => {
  const history = [
    podA({ at: 1, kind: 'callback.sent', requestId: 'c1', callbackId: 'b1', method: 'blobs/put' }),
    podA({ at: 2, kind: 'callback.sent', requestId: 'c2', callbackId: 'b2', method: 'blobs/put' }),
    podA({ at: 3, kind: 'callback.resolved', callbackId: 'b2', roundTripUs: 1, outcome: 'result' }),
    podA({ at: 4, kind: 'callback.sent', requestId: 'c3', callbackId: 'b3', method: 'blobs/put' }),
    podA({ at: 5, kind: 'execute.answered', requestId: 'c3', outcome: 'aborted' }),
    podB({ at: 6, kind: 'callback.sent', requestId: 'c4', callbackId: 'b4', method: 'blobs/put' }),
    podA({ at: 9, kind: 'callback.sent', requestId: 'c5', callbackId: 'b5', method: 'blobs/put' }),
  ]
  t.equal(
    streamsWaiting(history, 'a', 8),
    1,
    'c1; c2 has its reply, c3 has ended, c4 is of another pod, c5 is later',
  )
  t.equal(streamsWaiting(history, 'a', 10), 2)
})

t.test('failures are timed from the kill, of runs that had a call on the pod', async (t) => {
  const received = (at: number, requestId: string) =>
    podA({ at, kind: 'execute.received', requestId, component: '/x', attempt: 1, stream: true })
  const history = [
    sent(1, '1', 'c1'),
    received(2, 'c1'),
    sent(3, '2', 'c2'),
    received(4, 'c2'),
    sent(5, '3', 'c3'),
    ended(1_500_000, '1', 2, 'failed'),
    ended(2_000_000, '2', 1, 'completed'),
    ended(2_500_000, '3', 0, 'failed'),
  ]
  t.strictSame(failureDelays(history, 'a', 1_000_000), [0.5], 'run 2 completed, run 3 was elsewhere')
})

t.test('goodput has recovered when three quarter seconds in a row are back at the control', async (t) => {
  const arrivals = (from: number, until: number, everyUs: number): History =>
    Array.from({ length: Math.floor((until - from) / everyUs) }, (_, i) => {
      const at = from + i * everyUs
      const request = `${at}`
      return [
        client({ at, kind: 'run.offered', request, workload: 'w', planned: at }),
        client({ at: at + 1, kind: 'run.answered', request, outcome: 'completed' }),
      ]
    }).flat()
  const control = { from: 0, until: 1_000_000 }
  const history = [...arrivals(0, 1_000_000, 10_000), ...arrivals(1_500_000, 4_000_000, 10_000)]
  t.equal(timeToRecover(history, 'w', control, 1_000_000), 0.5)
  t.equal(timeToRecover(arrivals(0, 1_200_000, 10_000), 'w', control, 1_000_000), null, 'it never came back')
  t.equal(timeToRecover([], 'w', control, 1_000_000), null)
})

t.test('percentiles are of the nearest rank', async (t) => {
  t.equal(percentile([5, 1, 3, 2, 4], 0.5), 3)
  t.equal(percentile([5, 1, 3, 2, 4], 0.95), 5)
  t.equal(percentile([], 0.5), null)
})
