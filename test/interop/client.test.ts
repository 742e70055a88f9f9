// The real generated client against our API: every method it has reads what we answer.

import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startOurRuntime, startProgram } from './program.ts'
import { findStepflow } from './real-stepflow.ts'

t.setTimeout(120_000)
const { skip, real } = await findStepflow()

t.test('every method of the generated client', { skip }, async (t) => {
  await using runtime = await startOurRuntime({
    config: {
      plugins: { builtin: { type: 'builtin' } },
      routes: { '/{*component}': [{ plugin: 'builtin' }] },
    },
  })
  const script = fileURLToPath(new URL('client.py', import.meta.url))
  await using client = startProgram(real().python, [script, runtime.url])
  t.equal(await client.ended, 0, client.said())
  const said = JSON.parse(client.said().trim().split('\n').at(-1) ?? '{}')
  const { runId } = said['create_run many']
  const success = { outcome: 'success', result: { messages: [{ role: 'user', content: 'hi' }] } }
  t.match(said, {
    health_check: { status: 'healthy', version: '0.9.0' },
    'health_check error': 'raised 404',
    store_flow: {
      stored: true,
      flowId: /^[0-9a-f]{64}$/,
      diagnostics: { numFatal: 0, numError: 0, numWarning: 2 },
    },
    'store_flow dry': { stored: false },
    get_flow: { flow: { name: 'plain', description: 'd' }, flowId: said['store_flow plain'].flowId },
    'get_flow unknown': 'raised 404',
    create_run: { itemCount: 1, status: 'completed', result: success },
    'create_run many': { itemCount: 2, status: 'completed' },
    'create_run overrides': { status: 'completed', result: { result: { messages: [{ content: 'other' }] } } },
    'create_run unknown': 'raised 404',
    get_run: {
      runId,
      flowName: 'echo',
      status: 'completed',
      items: { total: 2, completed: 2 },
      inputs: [{}, {}],
    },
    get_run_items: {
      itemCount: 2,
      items: [
        { itemIndex: 0, result: success },
        { itemIndex: 1, result: success },
      ],
    },
    get_run_steps: { steps: { s: { stepId: 's', component: '/create_messages', status: 'completed' } } },
    get_run_flow: { flow: { name: 'plain' } },
    list_runs: { runs: [{ flowName: 'echo' }, { flowName: 'echo' }] },
    cancel_run: 'raised 409',
    delete_run: null,
    'get_run deleted': 'raised 404',
    delete_flow: null,
    'get_flow deleted': 'raised 404',
    is_healthy: true,
    run: { status: 'completed', result: success },
  })
  const components = said.list_components.components.map(({ component }: { component: string }) => component)
  for (const name of ['/eval', '/put_blob', '/map']) t.ok(components.includes(name), name)
})
