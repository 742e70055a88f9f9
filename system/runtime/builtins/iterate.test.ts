// What iterate does beside its results: it keeps no sub-run that has ended, and starts none when its call is over.

import t from 'tap'
import type { Json } from '../../wire/json.ts'
import type { Run } from '../executor/run.ts'
import { flowOf, resultsOf, testExecutor } from '../executor/test-support.ts'
import type { BuiltinContext } from './builtin.ts'
import { iterate } from './iterate.ts'

/** Iterates up to 1,000 times; `onSubmit` hears of each sub-run, and has what tells the call that it is cancelled. */
async function iterating(onSubmit: (submitted: number, cancel: () => void) => void) {
  const listeners: (() => void)[] = []
  let submitted = 0
  const context: Partial<BuiltinContext> = {
    runOf: () => run,
    submit(submission) {
      const started = executor.submit(submission)
      onSubmit(++submitted, () => {
        for (const listener of listeners) listener()
      })
      return started
    },
  }
  const executor = testExecutor((call) =>
    iterate.run(
      { ...call, onCancel: (listener) => void listeners.push(listener) },
      context as BuiltinContext,
    ),
  )
  const flow = { $literal: { output: { next: { $input: '$' } } } }
  const run: Run = executor.submit({
    flow: flowOf({
      steps: [{ id: 's', component: '/x', input: { flow, initial_input: 0 } }],
      output: { $step: 's' },
    }),
    inputs: ['null' as Json],
  })
  await new Promise<void>((resolve) => run.whenEnded(resolve))
  return { result: resultsOf(run)[0], listeners: listeners.length, submitted }
}

t.test('listens for the end of its call once, not for each sub-run, which that would keep', async (t) => {
  t.match(await iterating(() => {}), { result: { iterations: 1_000 }, listeners: 1, submitted: 1_000 })
})

t.test('starts no further sub-run where its call is cancelled between two of them', async (t) => {
  const { submitted, result } = await iterating((submitted, cancel) => {
    // The sub-run has ended by then.
    if (submitted === 10) queueMicrotask(cancel)
  })
  t.equal(submitted, 10)
  t.match(result, { error: { data: /the run has ended/ } })
})
