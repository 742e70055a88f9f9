// How soon one side of a stream learns through the balancer that the other has left: within 100 ms, both ways.

import type { ServerResponse } from 'node:http'
import t from 'tap'
import { post, RawClient, startPod } from '../../system/balancer/test-support.ts'
import { startBalancerProgram } from '../e2e/balancer-program.ts'

const streams = 20
const maxMs = 100

t.test('a stream that one side leaves is over for the other within 100 ms', async (t) => {
  const open: { readonly response: ServerResponse; readonly closed: Promise<number> }[] = []
  const pod = await startPod(t, 'a', (_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 0\n\n')
    const closed = new Promise<number>((resolve) => response.on('close', () => resolve(performance.now())))
    open.push({ response, closed })
  })
  const program = await startBalancerProgram(t, `127.0.0.1:${pod.port}`)
  const byClient: number[] = []
  const byPod: number[] = []
  for (let index = 0; index < streams; index++) {
    const client = new RawClient(t, program.port)
    client.write(post('{}'))
    await client.until(() => client.received.includes('data: 0'))
    const { response, closed } = open[index]!
    const leftAt = performance.now()
    if (index % 2 === 0) {
      client.socket.destroy()
      byClient.push((await closed) - leftAt)
    } else {
      response.socket?.destroy()
      await client.until(() => client.ended || client.closed)
      byPod.push(performance.now() - leftAt)
    }
  }
  for (const [who, delays] of Object.entries({ byClient, byPod })) {
    const middle = delays.sort((a, b) => a - b)[delays.length >> 1]!
    t.ok(middle < maxMs, `${who}: ${middle.toFixed(1)} ms, at most ${delays.at(-1)!.toFixed(1)} ms`)
  }
})
