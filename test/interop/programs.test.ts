// Real parts and ours in one system: our component servers under the real runtime, the real worker under ours.
//
// A real program cannot be told of a DNS server: addresses stand in its configuration.

import t from 'tap'
import { Client, Names } from './exchange.ts'
import {
  type Serving,
  startBalancer,
  startComponentServer,
  startOurRuntime,
  startRealRuntime,
  startRealWorker,
} from './program.ts'
import { findStepflow } from './real-stepflow.ts'

t.setTimeout(180_000)
const { skip, real } = await findStepflow()
if (skip === false) {
  t.comment('note: a real program cannot be told of a DNS server: addresses stand in its configuration')
}

const configFor = (balancer: Serving): object => ({
  plugins: { builtin: { type: 'builtin' }, python: { type: 'stepflow', url: balancer.url } },
  routes: { '/python/{*component}': [{ plugin: 'python' }], '/{*component}': [{ plugin: 'builtin' }] },
})

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly json: any
}

/** Sends to the API of one runtime. */
function talkTo(runtime: Serving): {
  store(flow: object): Promise<string>
  run(flow: object, input: unknown[], more?: object): Promise<Answer>
  client: Client
} {
  const client = new Client(runtime.url)
  const send = async (path: string, body: object): Promise<Answer> => {
    const { exchange, text } = await client.send(
      { method: 'POST', path, body: JSON.stringify(body) },
      new Names(),
      30_000,
    )
    return { status: exchange.status, json: JSON.parse(text) }
  }
  const store = async (flow: object): Promise<string> => (await send('/flows', { flow })).json.flowId
  return {
    client,
    store,
    run: async (flow, input, more = {}) =>
      send('/runs', { flowId: await store(flow), input, maxConcurrency: 10, ...more }),
  }
}

const oneStep = (component: string, input: unknown = { $input: '$' }): object => ({
  steps: [{ id: 's', component, input }],
  output: { $step: 's' },
})

t.test('the real runtime, our balancer, our component servers', { skip }, async (t) => {
  await using one = await startComponentServer()
  await using other = await startComponentServer()
  await using balancer = await startBalancer([one, other])
  await using runtime = await startRealRuntime(real(), { config: configFor(balancer) })
  const { run, client } = talkTo(runtime)
  t.teardown(() => client.close())

  const doubled = await run(oneStep('/python/double', { value: { $input: '$' } }), [21])
  t.match(doubled.json, { status: 'completed', result: { outcome: 'success', result: { result: 42 } } })

  const bidirectional = oneStep('/python/store_and_retrieve_blob', { data: { $input: '$' } })
  const stored = await run(bidirectional, [{ b: 1, a: 2 }])
  t.match(stored.json.result.result, {
    blob_id: 'a1d46c3cdb4e5795c8d637f80daeb578ebb1a9a65dc1ed5f11f51794c3c89f3a',
    retrieved_data: { b: 1, a: 2 },
  })

  const batch = await run(
    bidirectional,
    Array.from({ length: 60 }, (_, n) => ({ n })),
  )
  t.match(batch.json, { status: 'completed', itemCount: 60 })
  const items = await client.send({ method: 'GET', path: `/runs/${batch.json.runId}/items` }, new Names())
  t.same(
    JSON.parse(items.text).items.map((item: Answer['json']) => item.result.result.retrieved_data.n),
    Array.from({ length: 60 }, (_, n) => n),
  )

  const failed = await run(oneStep('/python/fibonacci', { n: 31 }), [null])
  t.match(failed.json.result.error, { code: 500, message: 'step "s" failed' })
  t.match(JSON.stringify(failed.json.result.error.data.stack), /component server error\(-\d+\): /)
  const unknown = await run(oneStep('/python/nope'), [null])
  t.match(JSON.stringify(unknown.json.result.error.data.stack), /component server error\(-32001\): /)
})

t.test('our runtime, our balancer, the real worker', { skip }, async (t) => {
  await using one = await startRealWorker(real())
  await using other = await startRealWorker(real())
  await using balancer = await startBalancer([one, other])
  await using runtime = await startOurRuntime({ config: configFor(balancer) })
  const { run, store, client } = talkTo(runtime)
  t.teardown(() => client.close())

  const doubled = await run(oneStep('/python/double', { value: { $input: '$' } }), [21])
  t.match(doubled.json, { status: 'completed', result: { outcome: 'success', result: { result: 42 } } })

  const bidirectional = oneStep('/python/store_and_retrieve_blob', { data: { $input: '$' } })
  const batch = await run(
    bidirectional,
    Array.from({ length: 60 }, (_, n) => ({ n })),
  )
  t.match(batch.json, { status: 'completed', itemCount: 60 })
  const many = await run(oneStep('/python/many_blobs', { value: { $input: '$' } }), [20])
  t.equal(many.json.result.result.result, 190, 'callbacks at once on one stream')

  const flow_id = await store(oneStep('/python/double', { value: { $input: '$.n' } }))
  const each = await run(oneStep('/python/run_each', { flow_id, inputs: [{ n: 1 }, { n: 2 }] }), [null])
  t.same(each.json.result.result.results, [[{ result: 2 }, { result: 4 }], 'completed', 2])

  const refused = await run(oneStep('/python/refuse', { value: 1 }), [null])
  t.match(refused.json.result.error, {
    code: 500,
    message: 'step "s" failed',
    data: { componentError: { code: -32003, message: /Component execution failed: .*not this one/ } },
  })
  const wrong = await run(oneStep('/python/double', { value: 'x' }), [null])
  t.match(wrong.json.result.error.data, { reason: /./, step: 's' })

  const listed = await client.send({ method: 'GET', path: '/components' }, new Names())
  const names = JSON.parse(listed.text).components.map(({ component }: { component: string }) => component)
  for (const name of ['/double', '/run_each', '/udf']) t.ok(names.includes(name), name)
})
