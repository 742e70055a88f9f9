// What an item evaluates, and how often.

import t from 'tap'
import type { Json } from '../../wire/json.ts'
import { echo, resultsOf, runFlow, testExecutor } from './test-support.ts'

t.test('what stands beside a long $coalesce is evaluated once, not after each of its members', async (t) => {
  const steps = Array.from({ length: 100 }, (_, index) => ({ id: `s${index}`, component: '/x', input: null }))
  let looks = 0
  class Counting extends Map<string, Json> {
    override get(name: string): Json | undefined {
      looks++
      return super.get(name)
    }
  }
  const output = [{ $coalesce: steps.map(({ id }) => ({ $step: id })) }, { $variable: 'v' }]
  const variables = new Counting([['v', '1' as Json]])
  const run = await runFlow(testExecutor(echo), { steps, output }, [null], { variables })
  t.same([resultsOf(run), looks], [[[null, 1]], 1])
})
