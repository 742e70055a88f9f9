import t from 'tap'
import type { History, WitnessedRecord } from '../../contracts/history.ts'
import type { LoadResult } from '../../contracts/load.ts'
import { podRate } from './pod-rate.ts'

const start = 5_000_000
/** Seconds 0 to 5, of which the first is the warm-up. */
const load = aLoad({})

t.test('measures the least count of any pod in any second after the warm-up', async (t) => {
  const history = aHistory({ 'pod-a': [3, 100, 100, 100, 100, 100], 'pod-b': [5, 100, 100, 97, 100, 100] })
  t.match(podRate({ pods: 2, history, load, noise: null }), {
    measured: 97,
    samples: 10,
    least: '97 at pod-b in second 3',
    notes: [],
  })
  t.equal(podRate({ pods: 2, history, load, warmUpMs: 0, noise: null }).measured, 3)
})

t.test('a pod that is silent in a second counts 0 in it', async (t) => {
  const history = aHistory({ 'pod-a': [100, 100, 100, 100, 100, 100], 'pod-b': [100, 100, 0, 100, 100, 100] })
  t.equal(podRate({ pods: 2, history, load, noise: null }).measured, 0)
})

t.test('looks only at pods that were ready for the whole second', async (t) => {
  const history = aHistory(
    { 'pod-a': [100, 100, 100, 100, 100, 100], 'pod-b': [0, 0, 60, 99, 100, 100] },
    2.5,
  )
  t.match(podRate({ pods: 2, history, load, noise: null }), { measured: 99, samples: 8 })
})

t.test('sets a second aside in which the generator lagged or others took the machine', async (t) => {
  const history = aHistory({ 'pod-a': [100, 100, 100, 100, 100, 60], 'pod-b': [100, 100, 100, 100, 100, 60] })
  t.equal(podRate({ pods: 2, history, load, noise: null }).measured, 60)
  t.match(podRate({ pods: 2, history, load: aLoad({ 5: 30 }), noise: null }), {
    measured: 100,
    samples: 8,
    notes: ['1 of 5 seconds set aside: the generator lagged'],
  })
  const noise = [0, 1, 2, 3, 4, 5].map((second) => ({
    ...{ second, stealShare: 0.05, othersShare: second === 5 ? 0.2 : 0.1, ownShare: 0.5 },
  }))
  t.match(podRate({ pods: 2, history, load, noise }), { measured: 100, notes: [/others took the machine/] })
  t.equal(podRate({ pods: 2, history, load, noise: noise.map(() => null) }).measured, 60)
})

t.test('cannot tell when more than a fifth of the seconds is set aside', async (t) => {
  const history = aHistory({ 'pod-a': [100, 100, 100, 100, 60, 60] })
  t.match(podRate({ pods: 1, history, load: aLoad({ 4: 30, 5: 30 }), noise: null }), {
    measured: { unknown: 'only 3 of 5 seconds can be judged' },
  })
  t.match(podRate({ pods: 1, history: [], load, noise: null }), { measured: { unknown: /no pod was ready/ } })
})

t.test('cannot tell when the pods were not ready for a fifth of the time', async (t) => {
  const history = aHistory({ 'pod-a': [100, 100, 100, 100, 100, 100], 'pod-b': [0, 0, 0, 0, 99, 100] }, 3.5)
  t.match(podRate({ pods: 2, history, load, noise: null }), {
    measured: { unknown: 'pods were ready in 7 of 10 seconds of pods' },
  })
})

t.test('a second that reaches the target needs no excuse', async (t) => {
  const history = aHistory({ 'pod-a': [100, 98, 97, 96, 99, 100] })
  const lagging = aLoad({ 1: 30, 2: 30, 3: 30, 4: 30, 5: 30 })
  t.equal(podRate({ pods: 1, history, load: lagging, noise: null, target: 95 }).measured, 96)
  t.match(podRate({ pods: 1, history, load: lagging, noise: null, target: 99 }).measured, {
    unknown: /only 2 of 5/,
  })
})

/** A load of six seconds with the generator's lag, ms, in some of them. */
function aLoad(lagMs: Readonly<Record<number, number>>): LoadResult {
  const seconds = [0, 1, 2, 3, 4, 5].map((second) => ({
    ...{ second, planned: 200, offered: 200, completed: 200, failed: 0, open: 0, p50Ms: 1, p99Ms: 1 },
    lagMs: lagMs[second] ?? 1,
  }))
  const profile = { kind: 'constant', rateRps: 200, durationMs: 6_000 } as const
  return { startedAt: start, endedAt: start + 6_010_000, profile, seconds } as unknown as LoadResult
}

/** Calls of each pod by second; the last pod is ready only `lastReady` seconds after the start. */
function aHistory(counts: Readonly<Record<string, readonly number[]>>, lastReady = -1): History {
  const records: WitnessedRecord[] = []
  const pods = Object.entries(counts)
  for (const [i, [pod, perSecond]] of pods.entries()) {
    const readyAt = start + (i === pods.length - 1 ? lastReady : -1) * 1e6
    const by = { witness: 'component-server', pod } as const
    records.push({ ...by, at: readyAt, kind: 'process.started', pid: 1, wallMs: 0 })
    for (const [second, count] of perSecond.entries()) {
      for (let call = 0; call < count; call++) {
        const at = start + (second + (call + 0.5) / count) * 1e6
        const requestId = `${pod}-${second}-${call}`
        records.push({
          ...by,
          at,
          kind: 'execute.received',
          requestId,
          component: '/x',
          attempt: 1,
          stream: false,
        })
      }
    }
    records.push({ ...by, at: start + 6.1e6, kind: 'process.stopping', reason: 'end' })
  }
  return records.sort((a, b) => a.at - b.at)
}
