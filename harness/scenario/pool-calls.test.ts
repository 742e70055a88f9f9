import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import { checkPoolCalls } from './pool-calls.ts'

/** A runtime that answers each run by what `answer` makes of its component. */
async function runtime(t: Test, answer: (component: string) => unknown): Promise<string> {
  const flows: string[] = []
  const server: Server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk as string
    const body = JSON.parse(text) as {
      readonly flow?: { readonly steps: readonly { readonly component: string }[] }
      readonly flowId?: string
    }
    response.setHeader('content-type', 'application/json')
    if (body.flow === undefined)
      response.end(JSON.stringify({ result: answer(flows[Number(body.flowId)] ?? '') }))
    else response.end(JSON.stringify({ flowId: String(flows.push(body.flow.steps[0]?.component ?? '') - 1) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const judged = async (t: Test, answer: (component: string) => unknown) =>
  checkPoolCalls({
    ...{ url: await runtime(t, answer), pods: ['gpu-1', 'gpu-2'] },
    signal: new AbortController().signal,
  })

const double = { outcome: 'success', result: { result: 42 } }

test('passes where every call of the pool is answered by one of its pods', async (t) => {
  let turn = 0
  const good = await judged(t, (component) =>
    component === '/python/double' ? double : { result: { pod: `gpu-${(turn++ % 2) + 1}` } },
  )
  t.match(good, { outcome: 'pass', examined: 21 })
})

test('fails where one is answered by another pod, or the rule takes others along', async (t) => {
  let turn = 0
  const stray = await judged(t, (component) =>
    component === '/python/double'
      ? double
      : { result: { pod: turn++ === 7 ? 'component-server-1' : 'gpu-1' } },
  )
  t.match(stray, { outcome: 'fail', examples: [/gpu_info: .*component-server-1/] })
  const harmed = await judged(t, (component) =>
    component === '/python/double' ? { outcome: 'failed' } : { result: { pod: 'gpu-1' } },
  )
  t.match(harmed, { outcome: 'fail', examples: [/double of 21/] })
})

test('is unknown where the runtime does not answer', async (t) => {
  const signal = AbortSignal.timeout(500)
  t.match(await checkPoolCalls({ url: 'http://127.0.0.1:1', pods: ['a'], signal }), { outcome: 'unknown' })
})
