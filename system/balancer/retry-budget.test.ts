// The retry budget.

import t from 'tap'
import { RetryBudget } from './retry-budget.ts'

t.test('allows a burst, then one second try for every five requests', async (t) => {
  const budget = new RetryBudget()
  let burst = 0
  while (budget.spend()) burst++
  t.equal(burst, 200)
  let allowed = 0
  for (let request = 0; request < 1_000; request++) {
    budget.earn()
    if (budget.spend()) allowed++
  }
  t.ok(allowed >= 199 && allowed <= 200, String(allowed))
})

t.test('saves up no more than a thousand', async (t) => {
  const budget = new RetryBudget()
  for (let request = 0; request < 100_000; request++) budget.earn()
  let burst = 0
  while (budget.spend()) burst++
  t.equal(burst, 1_000)
})
