// 5,000 runs submitted at once: all end, in turn, at the rate of a calm load; and refused ones get in later.

import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Pool } from 'undici'
import { startProgram } from '../../bench/runtime/server.ts'
import { configFor, send, startRuntime } from '../e2e/runtime-helpers.ts'

const count = 5_000

interface Ended {
  readonly index: number
  /** ms from the submission of all to the answer. */
  readonly ms: number
  readonly refusals: number
}

/** Submits all runs at once, each on a connection of its own; those that are refused wait as they are told. */
async function submitAll(pool: Pool, flowId: string, count: number): Promise<Ended[]> {
  const startedAt = performance.now()
  const submit = async (index: number): Promise<Ended> => {
    for (let refusals = 0; ; refusals++) {
      const { statusCode, headers, body } = await pool.request({
        method: 'POST',
        path: '/api/v1/runs',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ flowId, input: [index] }),
      })
      const answer = (await body.json()) as { status?: string; result?: { result?: unknown } }
      if (statusCode === 429) {
        const seconds = Number(headers['retry-after'])
        if (!(seconds >= 1)) throw new Error(`Retry-After: ${headers['retry-after']}`)
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
        continue
      }
      if (answer.status !== 'completed' || answer.result?.result !== index) {
        throw new Error(`run ${index}: ${statusCode} ${JSON.stringify(answer)}`)
      }
      return { index, ms: performance.now() - startedAt, refusals }
    }
  }
  return Promise.all(Array.from({ length: count }, (_, index) => submit(index)))
}

/** A component server in a process of its own: one here would answer late while this one opens connections. */
async function startHolder(t: Parameters<typeof startRuntime>[0]): Promise<string> {
  const args = [
    '--port',
    '0',
    '--admin-address',
    '127.0.0.1:0',
    '--components',
    file('scenarios/components/hold.ts'),
  ]
  const server = await startProgram(process.execPath, [file('system/component-server/main.ts'), ...args])
  t.teardown(() => server.stop())
  return `http://127.0.0.1:${server.port}`
}

const file = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))

/** Waits 20 ms, as if for something else, and gives its input. */
const flow = {
  steps: [{ id: 's', component: '/w/hold', input: { data: { $input: '$' }, hold_ms: 20 } }],
  output: { $step: 's', path: '$.retrieved_data' },
}

t.test('5,000 runs at once all end, in their turn', async (t) => {
  const worker = await startHolder(t)
  const active = 200
  const url = await startRuntime(t, configFor(worker), ['--max-active-runs', String(active)]).url()
  const { flowId } = (await send(url, 'POST', '/api/v1/flows', { flow })).json
  const pool = new Pool(url, { connections: count, pipelining: 1 })
  t.teardown(() => pool.destroy())
  const ended = await submitAll(pool, flowId, count)
  t.equal(ended.length, count)
  t.equal(ended.filter(({ refusals }) => refusals > 0).length, 0, 'nobody was refused')
  // By the runtime's own record: those that came first end first, but for those at work at once.
  const { runs } = (await send(url, 'GET', '/api/v1/runs')).json as { runs: { completedAt: string }[] }
  t.equal(runs.length, count)
  const oldestFirst = runs.map(({ completedAt }) => completedAt).reverse()
  const place = new Map(
    oldestFirst
      .map((at, order) => ({ at, order }))
      .sort((a, b) => (a.at === b.at ? a.order - b.order : a.at < b.at ? -1 : 1))
      .map(({ order }, ended) => [order, ended]),
  )
  const late = Math.max(...oldestFirst.map((_, order) => (place.get(order) ?? count) - order))
  t.ok(late <= 2 * active, `no run ended more than ${late} places after its turn`)
})

t.test('those that are refused with 429 all get in when they come again', async (t) => {
  const worker = await startHolder(t)
  const limits = ['--max-active-runs', '100', '--max-waiting-runs', '400']
  const url = await startRuntime(t, configFor(worker), limits).url()
  const { flowId } = (await send(url, 'POST', '/api/v1/flows', { flow })).json
  const pool = new Pool(url, { connections: count, pipelining: 1 })
  t.teardown(() => pool.destroy())
  const ended = await submitAll(pool, flowId, count)
  t.equal(ended.length, count)
  t.ok(
    ended.some(({ refusals }) => refusals > 0),
    'some were refused',
  )
})
