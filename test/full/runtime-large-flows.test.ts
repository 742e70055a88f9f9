// Flows of ten thousand steps and of a thousand levels through the API.

import t from 'tap'
import { builtinOnly, oneStep, runFlow, send, startRuntime } from '../e2e/runtime-helpers.ts'

const put = (id: string, data: unknown): object => ({
  id,
  component: '/put_blob',
  input: { data, blob_type: 'data' },
})

t.test('large flows', async (t) => {
  const url = await startRuntime(t, builtinOnly).url()
  const post = (path: string, body: unknown) => send(url, 'POST', `/api/v1${path}`, body)

  await t.test('ten thousand steps, one after the other', async (t) => {
    const steps = Array.from({ length: 10_000 }, (_, index) =>
      put(`s${index}`, index === 0 ? 1 : { $step: `s${index - 1}`, path: 'blob_id' }),
    )
    const run = await runFlow(url, { steps, output: { $step: 's9999', path: 'blob_id' } })
    t.match(run.json, { status: 'completed', result: { result: /^[0-9a-f]{64}$/ } })
    const shown = (await send(url, 'GET', `/api/v1/runs/${run.json.runId}/steps`)).json.steps
    t.equal(Object.keys(shown).length, 10_000)
    t.equal(Object.values(shown as object).filter(({ status }) => status !== 'completed').length, 0)
  })

  await t.test('ten thousand steps side by side', async (t) => {
    const steps = Array.from({ length: 10_000 }, (_, index) => put(`s${index}`, index))
    const output = steps.map((_, index) => ({ $step: `s${index}`, path: 'blob_id' }))
    const run = await runFlow(url, { steps, output })
    t.equal(run.json.status, 'completed')
    t.equal(new Set(run.json.result.result).size, 10_000)
  })

  await t.test('a path of a thousand levels and a thousand flows in flows work', async (t) => {
    const path = `$${'.a'.repeat(1000)}`
    t.match((await runFlow(url, { output: { $input: path } }, [{ a: 1 }])).json.result, {
      outcome: 'failed',
      error: { code: 1 },
    })
    let flowId = (await runFlow(url, oneStep('/put_blob', { data: { output: 'deep' }, blob_type: 'flow' })))
      .json.result.result.blob_id
    for (let level = 0; level < 1000; level++) {
      const flow = oneStep('/eval', { flow_id: flowId, input: null })
      const stored = await post('/flows', {
        flow: { ...flow, output: { $step: 's', path: '$.result.result' } },
      })
      flowId = stored.json.flowId
    }
    t.match((await post('/runs', { flowId, input: [1] })).json.result, { outcome: 'success', result: 'deep' })
  })
})
