import fc from 'fast-check'
import t from 'tap'
import type { Profile } from '../../../contracts/load.ts'
import { paceOf, profileProblems } from './index.ts'

/** All planned offsets of an open profile, µs. */
function offsets(profile: Profile): readonly number[] {
  const pace = paceOf(profile)
  if (pace.model !== 'open') throw new Error('a closed model plans nothing')
  const all: number[] = []
  for (let next = pace.next(); next !== null; next = pace.next()) all.push(next)
  t.equal(all.length, pace.planned)
  return all
}

t.test('a constant rate plans one arrival each 1/rate s', async (t) => {
  t.same(offsets({ kind: 'constant', rateRps: 4, durationMs: 1_000 }), [0, 250_000, 500_000, 750_000])
  t.same(offsets({ kind: 'constant', rateRps: 4, durationMs: 1_001 }).length, 5)
  t.equal(offsets({ kind: 'constant', rateRps: 300, durationMs: 11_000 }).length, 3_300)
})

t.test('steps begin where the last one ended, and a rate of 0 is a pause', async (t) => {
  const steps = [
    { rateRps: 2, durationMs: 1_000 },
    { rateRps: 0, durationMs: 500 },
    { rateRps: 10, durationMs: 200 },
  ]
  t.same(offsets({ kind: 'steps', steps }), [0, 500_000, 1_500_000, 1_600_000])
  t.equal(paceOf({ kind: 'steps', steps }).durationUs, 1_700_000)
})

t.test('planned times rise, stay within the duration, and match the rate', async () => {
  const step = fc.record({
    rateRps: fc.double({ min: 0, max: 2_000, noNaN: true }),
    durationMs: fc.integer({ min: 1, max: 2_000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), (steps) => {
      const all = offsets({ kind: 'steps', steps })
      const durationUs = steps.reduce((sum, { durationMs }) => sum + durationMs * 1000, 0)
      const rises = all.every((offset, i) => offset >= (all[i - 1] ?? 0))
      const due = steps.reduce((sum, { rateRps, durationMs }) => sum + (rateRps * durationMs) / 1000, 0)
      return rises && (all.at(-1) ?? 0) < durationUs && Math.abs(all.length - due) <= steps.length
    }),
    { numRuns: 50 },
  )
})

t.test('closed models have a limit, and users that start spread over a tenth of the time', async (t) => {
  t.same(paceOf({ kind: 'burst', count: 20, concurrency: 5 }), {
    ...{ model: 'closed', limit: 5, count: 20, durationUs: Number.POSITIVE_INFINITY, rampUs: 0 },
  })
  const users = { kind: 'concurrent', users: 50 } as const
  t.match(paceOf({ ...users, durationMs: 2_000 }), { limit: 50, durationUs: 2_000_000, rampUs: 200_000 })
  t.match(paceOf({ ...users, durationMs: 60_000 }), { rampUs: 1_000_000 })
})

t.test('names every field that cannot be offered', async (t) => {
  const fields = (profile: unknown) => profileProblems(profile as Profile).map(({ field }) => field)
  t.same(fields({ kind: 'constant', rateRps: 0, durationMs: 0 }), ['rateRps', 'durationMs'])
  t.same(fields({ kind: 'constant', rateRps: 60_000, durationMs: '1s' }), ['rateRps', 'durationMs'])
  t.same(fields({ kind: 'steps', steps: [] }), ['steps'])
  t.same(fields({ kind: 'steps', steps: [{ rateRps: 1, durationMs: 1 }, { rateRps: -1 }] }), [
    'steps[1].rateRps',
    'steps[1].durationMs',
  ])
  t.same(fields({ kind: 'concurrent', users: 1.5, durationMs: 1 }), ['users'])
  t.same(fields({ kind: 'burst', count: 1, concurrency: 20_000 }), ['concurrency'])
  t.same(fields({ kind: 'toString' }), ['kind'])
})
