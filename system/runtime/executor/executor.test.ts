// Tests of running flows: what runs, in which order, how many at once, and what comes out.

import t from 'tap'
import type { HistoryWriter, NewRecord } from '../../program/history.ts'
import { toJson } from '../../wire/json.ts'
import type { CallOutcome, StepCall } from '../plugins/plugin.ts'
import { echo, flowOf, resultsOf, runFlow, success, testExecutor } from './test-support.ts'

const step = (id: string, input: unknown = null, more: object = {}) => ({
  id,
  component: `/${id}`,
  input,
  ...more,
})
const when = (condition: unknown, yes: unknown, no?: unknown) =>
  Object.fromEntries([['$if', condition], ['then', yes], ...(no === undefined ? [] : [['else', no]])])
const from = (id: string, path?: string) => ({ $step: id, ...(path === undefined ? {} : { path }) })

t.test('runs what the output needs, and nothing else', async (t) => {
  const ran: string[] = []
  const executor = testExecutor((call) => {
    ran.push(call.stepId)
    return echo(call)
  })
  const run = await runFlow(executor, {
    steps: [step('a', 1), step('b', from('a')), step('unused', 2), step('must', 3, { mustExecute: true })],
    output: { r: from('b') },
  })
  t.same(resultsOf(run), [{ r: 1 }])
  t.same(ran.sort(), ['a', 'b', 'must'])
  t.equal(run.status, 'completed')
  t.equal(run.stepStatus(2), 'blocked')
  t.equal(run.stepStatus(3), 'completed')
})

t.test('takes one branch, and looks at members of $coalesce one by one', async (t) => {
  const ran: string[] = []
  const executor = testExecutor((call) => {
    ran.push(call.stepId)
    return echo(call)
  })
  const run = await runFlow(
    executor,
    {
      steps: [step('yes', 'y'), step('no', 'n'), step('none'), step('first', 1), step('second', 2)],
      output: {
        branch: when({ $input: '$.flag' }, from('yes'), from('no')),
        choice: { $coalesce: [from('none'), from('first'), from('second')] },
      },
    },
    [{ flag: true }],
  )
  t.same(resultsOf(run), [{ branch: 'y', choice: 1 }])
  t.same(ran.sort(), ['first', 'none', 'yes'])
})

t.test("evaluates needs that turn up late in a step's input", async (t) => {
  const run = await runFlow(testExecutor(echo), {
    steps: [step('a', true), step('b', 'late'), step('c', when(from('a'), { $coalesce: [null, from('b')] }))],
    output: from('c'),
  })
  t.same(resultsOf(run), ['late'])
})

t.test('runs steps at once as far as the data and the limit allow', async (t) => {
  let active = 0
  let most = 0
  const executor = testExecutor(async (call) => {
    most = Math.max(most, ++active)
    await new Promise((resolve) => setImmediate(resolve))
    active--
    return echo(call)
  })
  const steps = Array.from({ length: 25 }, (_, index) => step(`s${index}`, index))
  const flow = { steps, output: steps.map(({ id }) => from(id)) }
  const expected = [steps.map((_, index) => index)]
  t.same(resultsOf(await runFlow(executor, flow)), expected)
  t.equal(most, 10)
  most = 0
  t.same(resultsOf(await runFlow(executor, flow, [null], { maxConcurrency: 3 })), expected)
  t.equal(most, 3)
  most = 0
  await runFlow(executor, { steps: [step('a', 1), step('b', 2)], output: from('a') }, [1, 2, 3, 4, 5])
  t.equal(most, 5)
})

t.test('ends items in the order they came', async (t) => {
  const started: string[] = []
  const executor = testExecutor(async (call) => {
    started.push(`${call.item}${call.stepId}`)
    await new Promise((resolve) => setImmediate(resolve))
    return echo(call)
  })
  const flow = { steps: [step('a', 1), step('b', from('a'))], output: from('b') }
  await runFlow(executor, flow, [1, 2, 3], { maxConcurrency: 1 })
  t.same(started, ['0a', '0b', '1a', '1b', '2a', '2b'])
})

t.test('a failed step fails what needs it, with the same error, and nothing else', async (t) => {
  const failure: CallOutcome = { kind: 'failed', error: { code: 7, message: 'no' } }
  const executor = testExecutor((call) => (call.stepId === 'bad' ? failure : echo(call)))
  const run = await runFlow(executor, {
    steps: [step('bad'), step('after', from('bad')), step('other', 1, { mustExecute: true })],
    output: { a: from('after') },
  })
  t.equal(run.status, 'failed')
  t.same(resultsOf(run), [{ error: { code: 7, message: 'no' } }])
  t.same(
    [0, 1, 2].map((index) => run.stepStatus(index)),
    ['failed', 'failed', 'completed'],
  )
})

t.test('a failed step that nobody asks for leaves the run completed', async (t) => {
  const executor = testExecutor(() => ({ kind: 'failed', error: { code: 7, message: 'no' } }))
  const run = await runFlow(executor, { steps: [step('bad', 1, { mustExecute: true })], output: 5 })
  t.equal(run.status, 'completed')
  t.equal(run.stepStatus(0), 'failed')
})

t.test('a broken call names step, attempt, pod and cause', async (t) => {
  const executor = testExecutor(() => ({
    kind: 'broken',
    causes: [{ error: 'error executing component' }, { error: 'reset' }],
    details: { pod: 'pod-1', reason: 'reset' },
  }))
  const run = await runFlow(executor, { steps: [step('s')], output: from('s') })
  const [{ error }] = resultsOf(run) as [{ error: { code: number; message: string; data: string } }]
  t.equal(error.code, 500)
  t.equal(error.message, 'step "s" failed')
  t.same(JSON.parse(error.data), {
    stack: [
      {
        error: 'step "s" failed',
        attachments: ['Component: /s', "Component execution failed for step 's'"],
      },
      { error: 'error executing component' },
      { error: 'reset' },
    ],
    step: 's',
    attempt: 1,
    pod: 'pod-1',
    reason: 'reset',
  })
})

t.test('onError: a default takes the place of a failure, but not of a missing input', async (t) => {
  const executor = testExecutor(() => ({ kind: 'failed', error: { code: 7, message: 'no' } }))
  const onError = { action: 'useDefault', defaultValue: { d: 1 } }
  const flow = (input: unknown) => ({ steps: [step('s', input, { onError })], output: from('s') })
  t.same(resultsOf(await runFlow(executor, flow(1))), [{ d: 1 }])
  t.same(resultsOf(await runFlow(executor, flow({ $input: '$.no' }), [{}])), [
    { error: { code: 1, message: 'Input path $.no not found' } },
  ])
})

t.test('onError: retries really happen, and end with the first success', async (t) => {
  const attempts: number[] = []
  const executor = testExecutor((call) => {
    attempts.push(call.attempt)
    return call.attempt < 3 ? { kind: 'failed', error: { code: 7, message: 'no' } } : success('done')
  })
  const onError = { action: 'retry' }
  const run = await runFlow(executor, { steps: [step('s', 1, { onError })], output: from('s') })
  t.same(resultsOf(run), ['done'])
  t.same(attempts, [1, 2, 3])
})

t.test('no input is a run that ends at once', async (t) => {
  const run = await runFlow(testExecutor(echo), { steps: [step('a')], output: from('a') }, [])
  t.equal(run.status, 'completed')
})

t.test('ten thousand steps, in a chain or side by side, and no deep stack', async (t) => {
  const count = 10_000
  const chain = Array.from({ length: count }, (_, index) =>
    step(`s${index}`, index === 0 ? 1 : from(`s${index - 1}`)),
  )
  for (const component of [echo, async (call: StepCall) => echo(call)]) {
    const executor = testExecutor(component)
    t.same(resultsOf(await runFlow(executor, { steps: chain, output: from(`s${count - 1}`) })), [1])
  }
  const wide = Array.from({ length: count }, (_, index) => step(`s${index}`, index))
  const [result] = resultsOf(
    await runFlow(testExecutor(echo), { steps: wide, output: wide.map(({ id }) => from(id)) }),
  ) as [number[]]
  t.equal(result.length, count)
})

t.test('cancelling starts nothing more, tells calls, and ends the run as cancelled', async (t) => {
  const told: string[] = []
  const never = new Promise<CallOutcome>(() => {})
  const executor = testExecutor((call) => {
    call.onCancel(() => told.push(call.stepId))
    return call.stepId === 'hang' ? never : echo(call)
  })
  const run = executor.submit({
    flow: flowOf({ steps: [step('hang'), step('after', from('hang'))], output: from('after') }),
    inputs: [toJson(1)],
  })
  t.equal(executor.inFlight, 1)
  t.equal(executor.cancel(run.id), true)
  t.equal(executor.cancel(run.id), false)
  t.equal(run.status, 'cancelled')
  t.same(told, ['hang'])
  t.equal(executor.inFlight, 0)
})

t.test('records each step of each item once, in the order things happened', async (t) => {
  const records: NewRecord[] = []
  const history: HistoryWriter = {
    enabled: true,
    record: (record) => void records.push(record),
    flush() {},
    close() {},
  }
  const run = await runFlow(
    testExecutor(echo, history),
    { steps: [step('a', 1), step('b', from('a'))], output: from('b') },
    [1, 2],
    { maxConcurrency: 1 },
  )
  t.same(
    records.map((record) => [
      record.kind,
      'item' in record ? record.item : '',
      'stepId' in record ? record.stepId : '',
    ]),
    [
      ['run.accepted', '', ''],
      ['step.started', 0, 'a'],
      ['step.result', 0, 'a'],
      ['step.started', 0, 'b'],
      ['step.result', 0, 'b'],
      ['step.started', 1, 'a'],
      ['step.result', 1, 'a'],
      ['step.started', 1, 'b'],
      ['step.result', 1, 'b'],
      ['run.ended', '', ''],
    ],
  )
  t.match(records.at(-1), { runId: run.id, status: 'completed', inFlight: 0 })
})

t.test('a run holds so much: what goes beyond fails, and the run ends', async (t) => {
  const executor = testExecutor(echo, undefined, { maxRunChars: 100 })
  const text = 'x'.repeat(38)
  const steps = [step('a', text), step('b', text), step('c', text), step('d', from('c'))]
  const run = await runFlow(executor, { steps, output: [from('a'), { $coalesce: [null, from('d')] }] })
  t.equal(run.status, 'failed')
  t.match(resultsOf(run), [{ error: { code: 500, message: /longer than 100 characters together/ } }])
  t.same(
    [0, 1, 2, 3].map((index) => run.stepStatus(index)),
    ['completed', 'blocked', 'completed', 'failed'],
  )
  // One result at a time: those of earlier items give way.
  const many = await runFlow(executor, { steps: [step('a', text)], output: 1 }, [1, 2, 3, 4, 5])
  t.equal(many.status, 'completed')
})

t.test('runs whose inputs are too much together are refused, until some have ended', async (t) => {
  const held: (() => void)[] = []
  const executor = testExecutor(
    () => new Promise((resolve) => held.push(() => resolve(success(1)))),
    undefined,
    {
      maxInputChars: 100,
    },
  )
  const flow = flowOf({ steps: [step('a')], output: from('a') })
  const submit = (chars: number) => executor.submit({ flow, inputs: [toJson('x'.repeat(chars - 2))] })
  const first = submit(150)
  t.throws(() => submit(10), { name: 'OverloadedError', message: /150 characters of input/ })
  await new Promise<void>((resolve) => {
    first.whenEnded(resolve)
    held.shift()?.()
  })
  submit(60)
  submit(40)
  t.throws(() => submit(3), { name: 'OverloadedError' })
  for (const free of held.splice(0)) free()
  await executor.idle()
})

t.test('components may ask for as many runs as others, at once', async (t) => {
  const held: (() => void)[] = []
  const hold = () => new Promise<CallOutcome>((resolve) => held.push(() => resolve(success(1))))
  const executor = testExecutor(hold, undefined, { maxActiveRuns: 1, maxWaitingRuns: 1 })
  const flow = flowOf({ steps: [step('a')], output: from('a') })
  const submit = (urgent: boolean) => executor.submit({ flow, inputs: [toJson(1)], urgent })
  submit(false)
  submit(false)
  t.throws(() => submit(false), { name: 'OverloadedError' })
  submit(true)
  submit(true)
  t.equal(held.length, 3, 'what components ask for starts at once')
  t.throws(() => submit(true), { name: 'OverloadedError' })
  const idle = executor.idle()
  while (executor.inFlight > 0) {
    held.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await idle
})
