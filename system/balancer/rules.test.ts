// Routing rules.

import fc from 'fast-check'
import t from 'tap'
import { compileRules, fits, routeByRules } from './rules.ts'

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

t.test('fits as a regular expression does', async () => {
  const characters = { unit: fc.constantFrom('a', 'b', '*') }
  fc.assert(
    fc.property(fc.string(characters), fc.string(characters), (pattern, text) => {
      const expression = new RegExp(`^${pattern.split('*').join('.*')}$`, 's')
      return fits(pattern.split('*'), text) === expression.test(text)
    }),
    { numRuns: 5_000 },
  )
})

t.test('takes no long time over any name, however many stars', async (t) => {
  const [rule] = compileRules([{ component: '/a*b*b*b*c', pools: { gpu: 1 } }])
  const body = call(`/a${'b'.repeat(60_000)}`)
  const sinceMs = performance.now()
  t.same(
    routeByRules([rule!], body, true, () => 0),
    ['default'],
  )
  t.ok(performance.now() - sinceMs < 500)
})
