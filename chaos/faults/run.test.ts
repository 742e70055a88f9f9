// Tests of running a fault: one that takes no effect, breaks or is stuck has not landed, and is undone all the same.

import { Type } from '@sinclair/typebox'
import t from 'tap'
import type { Cluster } from '../../contracts/cluster.ts'
import { type AimedFault, defineFault, type Target } from './fault.ts'
import { runFault } from './run.ts'
import { settingsOf } from './settings.ts'

const target: Target = {
  cluster: {} as Cluster,
  role: 'balancer',
  pods: [],
  random: () => 0,
  signal: new AbortController().signal,
  leaves: async () => {},
}

/** A fault of a few ms whose parts may be replaced; `log` says what was done. */
function sample(parts: Partial<AimedFault>, supports: string | null = null) {
  const log: string[] = []
  const fault = defineFault({
    name: 'sample',
    what: 'A sample',
    lane: 'process',
    victim: 'pod',
    landsWithinMs: 50,
    settings: Type.Object({}, { additionalProperties: false }),
    supports: () => supports,
    on: () => ({
      inject: async () => void log.push('inject'),
      observed: async () => 'it is there',
      undo: async () => void log.push('undo'),
      cleared: async () => 'it is gone',
      ...parts,
    }),
  })
  return { fault, log }
}

t.test('a fault that is seen has landed; it is undone once', async (t) => {
  const { fault, log } = sample({})
  const running = await runFault(fault, target, {})
  t.match(running, { seen: 'it is there', problem: null })
  t.same(await running.undo(), { seen: 'it is gone', problem: null })
  await running.undo()
  t.same(log, ['inject', 'undo'])
})

t.test('a fault that nobody sees has not landed', async (t) => {
  const { fault, log } = sample({ observed: async () => null })
  const running = await runFault(fault, target, {})
  t.match(running, { seen: null, problem: 'sample took no effect in 0.05 s' })
  await running.undo()
  t.same(log, ['inject', 'undo'])
})

t.test('nor has one that breaks, that is interrupted, or that the cluster cannot do', async (t) => {
  const breaks = sample({ inject: () => Promise.reject(new Error('no such pod')) })
  t.equal((await runFault(breaks.fault, target, {})).problem, 'sample could not be injected: no such pod')
  const blind = sample({ observed: () => Promise.reject(new Error('no answer')) })
  t.match((await runFault(blind.fault, target, {})).problem, /took no effect in 0\.05 s: no answer/)
  const never = sample({ observed: async () => null })
  const interrupted = await runFault(never.fault, { ...target, signal: AbortSignal.abort() }, {})
  t.match(interrupted.problem, /before the interruption/)
  const cannot = sample({}, 'no root')
  const running = await runFault(cannot.fault, target, {})
  t.equal(running.problem, 'sample is not possible here: no root')
  await running.undo()
  t.same(cannot.log, [], 'nothing was done')
})

t.test('a fault that does not go away is told', async (t) => {
  const stays = await runFault(sample({ cleared: async () => null }).fault, target, {})
  t.match(await stays.undo(), { seen: null, problem: /shows no sign of being gone in 0\.05 s/ })
  const stuck = await runFault(sample({ undo: () => Promise.reject(new Error('busy')) }).fault, target, {})
  t.match(await stuck.undo(), { problem: 'the undo of sample failed: busy' })
})

t.test('settings: defaults are filled in, and every problem is named', async (t) => {
  const schema = Type.Object(
    { share: Type.Number({ minimum: 0, maximum: 1, default: 0.5 }), by: Type.Integer({ minimum: 1 }) },
    { additionalProperties: false },
  )
  t.same(settingsOf(schema, { by: 2 }, 'with'), { settings: { share: 0.5, by: 2 }, problems: [] })
  const { problems } = settingsOf(schema, { share: 2, bye: 1 }, 'faults[0].with')
  t.same(problems.map(({ message }) => message).sort(), [
    'faults[0].with.by: is missing, set it (ERR_CONFIG_FIELD)',
    'faults[0].with.bye: is no setting of this fault, use share, by (ERR_CONFIG_FIELD)',
    'faults[0].with.share: got 2, use a number from 0 to 1 (ERR_CONFIG_RANGE)',
  ])
})
