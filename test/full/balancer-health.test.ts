// Real component servers that freeze, or are only busy: the one loses new work within 5 s, the other never does.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { type Owner, post, RawClient, until } from '../../system/balancer/test-support.ts'
import { startBalancerProgram } from '../e2e/balancer-program.ts'

const main = join(import.meta.dirname, '../../system/component-server/main.ts')

async function startServer(owner: Owner): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const args = ['--host', '127.0.0.1', '--port', '0', '--admin-address', '127.0.0.1:0']
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  owner.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  for await (const line of createInterface({ input: child.stdout! })) {
    const { port } = JSON.parse(line) as { readonly port?: number }
    if (port !== undefined) return { child, port }
  }
  throw new Error('it said no port')
}

type State = { readonly backend: string; readonly state: string }

t.test('a frozen pod loses new work within 5 s, and has it back when it thaws', async (t) => {
  const servers = [await startServer(t), await startServer(t), await startServer(t)]
  const upstream = servers.map(({ port }) => `127.0.0.1:${port}`)
  const { admin } = await startBalancerProgram(t, upstream.join())
  const stateOf = async (backend = ''): Promise<string | undefined> => {
    const { backends } = (await (await fetch(`${admin}/backends`)).json()) as { backends: State[] }
    return backends.find((one) => one.backend === backend)?.state
  }
  for (const backend of upstream) await until(async () => (await stateOf(backend)) === 'ready')
  const frozenAt = performance.now()
  servers[0]!.child.kill('SIGSTOP')
  await until(async () => (await stateOf(upstream[0])) === 'ejected')
  const outMs = performance.now() - frozenAt
  t.ok(outMs < 5_000, `out after ${outMs.toFixed(0)} ms`)
  servers[0]!.child.kill('SIGCONT')
  await until(async () => (await stateOf(upstream[0])) === 'ready')
})

t.test('a pod that computes without a pause keeps its work', async (t) => {
  const servers = [await startServer(t), await startServer(t)]
  const { admin, port } = await startBalancerProgram(t, servers.map((one) => `127.0.0.1:${one.port}`).join())
  const states = new Set<string>()
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'components/execute',
    params: {
      component: '/fibonacci',
      input: { n: 30 },
      attempt: 1,
      observability: {
        trace_id: '1'.repeat(32),
        span_id: '2'.repeat(16),
        run_id: 'r',
        flow_id: 'f',
        step_id: 's',
      },
    },
  })
  // Enough callers to keep both busy for longer than a frozen pod would be given.
  const endAt = performance.now() + 8_000
  let calls = 0
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      const client = new RawClient(t, port)
      while (performance.now() < endAt) {
        client.write(post(body))
        const { status } = await client.answer()
        if (status === 200) calls++
        else t.fail(`status ${status}`)
        const { backends } = (await (await fetch(`${admin}/backends`)).json()) as { backends: State[] }
        for (const { state } of backends) states.add(state)
      }
    }),
  )
  t.ok(calls > 8, `${calls} calls`)
  t.same([...states], ['ready'])
})
