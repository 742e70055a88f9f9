// Tests of storing a flow: attempts that get no answer are repeated, refusals are not.

import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { registerFlow } from './register.ts'

async function serve(answers: readonly RequestListener[]): Promise<{ url: string; asked: () => number }> {
  let asked = 0
  const server = createServer((request, response) => answers[asked++]!(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked }
}

t.test('goes on until the runtime takes it', async (t) => {
  const { url, asked } = await serve([
    ({ socket }) => void socket.destroy(),
    (_, response) => void response.writeHead(503).end('{"code":503,"message":"the runtime is stopping"}'),
    (_, response) => void response.end('{"flowId":"f1"}'),
  ])
  t.equal(await registerFlow(url, { steps: [] }), 'f1')
  t.equal(asked(), 3)
})

t.test('a flow that is refused is told at once', async (t) => {
  const { url, asked } = await serve([(_, response) => void response.writeHead(400).end('no steps')])
  await t.rejects(registerFlow(url, {}), { code: 'ERR_CLUSTER', message: /HTTP 400: no steps/ })
  t.equal(asked(), 1)
})

t.test('ends with its signal, and says what it last heard', async (t) => {
  const ended = new AbortController()
  const { url } = await serve(
    Array.from({ length: 200 }, (_, index) => (_request, response) => {
      if (index === 1) ended.abort()
      response.writeHead(503).end('stopping')
    }),
  )
  await t.rejects(registerFlow(url, {}, ended.signal), { code: 'ERR_CLUSTER', message: /HTTP 503: stopping/ })
})
