// Tests of reading a run's items back, from a runtime made of a few lines.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { checkItems } from './items.ts'

/** A runtime that shows `items` once it has been asked twice. */
async function runtime(
  t: Pick<typeof import('tap').default, 'teardown'>,
  items: readonly unknown[],
): Promise<string> {
  let asked = 0
  const server = createServer((request, response) => {
    const answer = (value: unknown) => response.end(JSON.stringify(value))
    request.resume()
    if (request.url === '/api/v1/flows') answer({ flowId: 'f' })
    else if (request.url === '/api/v1/runs') answer({ runId: 'r' })
    else answer({ items: ++asked > 1 ? items : [{ itemIndex: 0, status: 'running' }] })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const done = (itemIndex: number, result: unknown) => ({
  ...{ itemIndex, status: 'completed', result: { outcome: 'success', result } },
})
const options = { flow: {}, inputs: [1, 2], expected: [2, 4], signal: new AbortController().signal }

t.test('passes when each result stands at its place', async (t) => {
  const url = await runtime(t, [done(1, 4), done(0, 2)])
  t.match(await checkItems({ ...options, url }), { outcome: 'pass', examined: 2 })
})

t.test('fails when results are mixed up, or one is missing', async (t) => {
  const mixed = await runtime(t, [done(0, 4), done(1, 2)])
  t.match(await checkItems({ ...options, url: mixed }), {
    outcome: 'fail',
    examples: ['item 0: got 4, not 2', 'item 1: got 2, not 4'],
  })
  const short = await runtime(t, [done(0, 2)])
  t.match(await checkItems({ ...options, url: short }), { outcome: 'fail', examples: [/item 1/] })
})

t.test('cannot tell where nobody answers', async (t) => {
  const signal = AbortSignal.timeout(500)
  t.equal((await checkItems({ ...options, url: 'http://127.0.0.1:1', signal })).outcome, 'unknown')
})
