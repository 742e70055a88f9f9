// Routing rules.

import t from 'tap'
import { compileRules, routeByRules } from './rules.ts'

const rules = compileRules([
  { component: '/gpu_*', pools: { gpu: 3, cpu: 1 } },
  { component: '/exact.name', pools: { cpu: 1, none: 0 } },
])
const call = (component: string) =>
  Buffer.from(JSON.stringify({ method: 'components/execute', params: { component } })).toString('latin1')

t.test('draws a pool by weight, with the others of the rule to stand in', async (t) => {
  t.same(
    routeByRules(rules, call('/gpu_train'), true, () => 0.74),
    ['gpu', 'cpu'],
  )
  t.same(
    routeByRules(rules, call('/gpu_train'), true, () => 0.76),
    ['cpu', 'gpu'],
  )
  t.same(
    routeByRules(rules, call('/exact.name'), true, () => 0.99),
    ['cpu'],
  )
})

t.test('sends everything else to the default pool', async (t) => {
  for (const body of [
    call('/other'),
    call('/exactXname'),
    call('x/gpu_a'),
    '{}',
    'no JSON',
    '',
    '{"params":{"component":7}}',
  ]) {
    t.same(
      routeByRules(rules, body, true, () => 0),
      ['default'],
    )
  }
})

t.test('waits for the component name, but not for ever', async (t) => {
  const body = call('/gpu_ü')
  t.equal(
    routeByRules(rules, body.slice(0, -4), false, () => 0),
    'more',
  )
  t.same(
    routeByRules(rules, body.slice(0, -4), true, () => 0),
    ['default'],
  )
  t.same(
    routeByRules(rules, body, false, () => 0),
    ['gpu', 'cpu'],
  )
})
