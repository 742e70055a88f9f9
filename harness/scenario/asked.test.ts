import { test } from 'tap'
import type { Placement, TriedFlow } from '../../contracts/asked.ts'
import { judgeFlows, judgePlacements } from './asked.ts'

const flow = (allowed: boolean, reached: boolean): TriedFlow => ({ from: 'a', to: 'b:1', allowed, reached })
const outcomes = (enforced: boolean, ...flows: readonly TriedFlow[]): readonly string[] =>
  judgeFlows({ enforced, flows }).map(({ name, outcome }) => `${name} ${outcome}`)

test('flows: what is allowed gets through and nothing else does', async (t) => {
  t.same(outcomes(true, flow(true, true), flow(false, false)), ['flows-allowed pass', 'flows-refused pass'])
})

test('flows: an allowed one that does not get through fails', async (t) => {
  const [allowed] = judgeFlows({ enforced: true, flows: [flow(true, false), flow(true, true)] })
  t.match(allowed, { outcome: 'fail', reason: /^1 of 2/, examples: ['a to b:1: did not get through'] })
})

test('flows: one that gets through although it must not fails where policies are enforced', async (t) => {
  t.same(outcomes(true, flow(true, true), flow(false, true)), ['flows-allowed pass', 'flows-refused fail'])
})

test('flows: where no policy is enforced nothing is said of refusals', async (t) => {
  t.same(outcomes(false, flow(true, true), flow(false, true)), [
    'flows-allowed pass',
    'flows-refused unknown',
  ])
  t.same(outcomes(false, flow(true, true), flow(false, false)), [
    'flows-allowed pass',
    'flows-refused unknown',
  ])
  t.same(outcomes(true), ['flows-allowed unknown', 'flows-refused unknown'])
})

const lands: Placement = {
  ...{ what: 'p', pretended: true, nodes: ['n1', 'n2'], waits: null, node: 'n1', reason: '' },
}
const waits: Placement = {
  ...{ what: 'q', pretended: true, nodes: [], waits: 'Insufficient gpu', node: null },
  reason: '0/1 nodes are available: 1 Insufficient gpu.',
}

test('placement: a pod is on a node that it may be on, or waits for the stated reason', async (t) => {
  t.match(judgePlacements([lands, waits]), [{ name: 'placement-pretended', outcome: 'pass', examined: 2 }])
})

test('placement: another node, no node, another reason, or a node in place of waiting fails', async (t) => {
  for (const [bad, text] of [
    [{ ...lands, node: 'n3' }, 'p: on n3; it must be on n1 or n2'],
    [{ ...lands, node: null, reason: 'why' }, 'p: Pending: why; it must be on n1 or n2'],
    [{ ...waits, reason: 'other' }, 'q: Pending: other; it must be Pending: Insufficient gpu'],
    [{ ...waits, node: 'n1' }, 'q: on n1; it must be Pending: Insufficient gpu'],
  ] as const) {
    t.match(judgePlacements([lands, bad]), [{ outcome: 'fail', examples: [text] }])
  }
})

test('placement: real and pretended nodes are judged apart, and nothing is judged of none', async (t) => {
  t.same(
    judgePlacements([waits, { ...lands, pretended: false }]).map(({ name }) => name),
    ['placement-pretended', 'placement'],
  )
  t.same(judgePlacements([]), [])
})
