import t from 'tap'
import { expectationOf, readAnswer } from './answers.ts'

t.test("a failed run's error tells the innermost cause and the pod", async (t) => {
  const stack = [
    { error: 'step "a" failed' },
    { error: 'error executing component' },
    { error: 'the pod is gone' },
  ]
  const error = { code: 500, message: 'step "a" failed', data: { stack, pod: 'pod-a-1' } }
  const body = JSON.stringify({
    runId: 'r1',
    itemCount: 1,
    result: { outcome: 'failed', error },
    status: 'failed',
  })
  t.match(readAnswer('runs', 0, expectationOf(undefined), 200, 'application/json', body), {
    outcome: 'failed',
    runId: 'r1',
    error: 'run failed: step "a" failed: the pod is gone (pod-a-1)',
  })
})

t.test('an error without such data is told as it is', async (t) => {
  for (const data of [undefined, null, 7, { stack: 'no list' }, { stack: [] }]) {
    const body = JSON.stringify({
      result: { outcome: 'failed', error: { message: 'no', data } },
      status: 'failed',
    })
    const { error } = readAnswer('runs', 0, expectationOf(undefined), 200, 'application/json', body)
    t.equal(error, 'run failed: no')
  }
})
