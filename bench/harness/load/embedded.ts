// What the embedded load engine costs: CPU time for each request, and how late it sends at 1,000 requests/s.
//
//   npm run bench:load
//
// The server is a process of its own, so that this process's CPU time is the generator's.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { LoadResult, Profile } from '../../../contracts/load.ts'
import { createEmbeddedEngine } from '../../../harness/load/index.ts'
import { commandFlags } from '../../command.ts'
import { reportGoals } from '../../goals.ts'

commandFlags(
  'npm run bench:load',
  'Measures the embedded load engine: CPU time for each request, and how late it sends at 1,000 requests/s.',
  {},
)

const rounds = 5
const inputs = Array.from({ length: 1_000 }, (_, value) => ({ value }))
const workload = { name: 'double', flow: {}, inputs, expected: inputs.map(({ value }) => value * 2) }

const server = spawn(process.execPath, ['-e', serverSource()], { stdio: ['pipe', 'pipe', 'inherit'] })
try {
  const [port] = await once(server.stdout, 'data')
  const url = `http://127.0.0.1:${String(port).trim()}`
  await using engine = await createEmbeddedEngine()
  const measure = async (profile: Profile) => {
    const before = process.cpuUsage()
    const load = await engine.run({ target: { kind: 'call', url, component: '/double' }, workload, profile })
    const { user, system } = process.cpuUsage(before)
    return { load, cpuUs: (user + system) / load.offered }
  }
  await measure({ kind: 'concurrent', users: 20, durationMs: 1_000 })
  const open: { load: LoadResult; cpuUs: number }[] = []
  const closed: { load: LoadResult; cpuUs: number }[] = []
  for (let round = 0; round < rounds; round++) {
    open.push(await measure({ kind: 'constant', rateRps: 1_000, durationMs: 2_000 }))
    closed.push(await measure({ kind: 'concurrent', users: 20, durationMs: 1_000 }))
  }
  const openCpuUs = median(open.map(({ cpuUs }) => cpuUs))
  const details = {
    openCpuUs,
    openLagP50Ms: median(open.map(({ load }) => load.lag.p50Ms)),
    openLagP99Ms: median(open.map(({ load }) => load.lag.p99Ms)),
    closedCpuUs: median(closed.map(({ cpuUs }) => cpuUs)),
    closedRps: median(closed.map(({ load }) => load.achievedRps)),
  }
  console.log(details)
  reportGoals(
    'load',
    [
      // 1,000 requests/s on half a core.
      {
        name: 'generator-cpu',
        measured: Math.round(openCpuUs),
        target: 500,
        comparison: 'at most',
        unit: 'us',
      },
      {
        ...{ name: 'generator-lag-p99', measured: details.openLagP99Ms, target: 20 },
        ...{ comparison: 'at most', unit: 'ms' },
      },
    ],
    details,
  )
} finally {
  server.kill()
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** Answers a JSON-RPC call with the double of its value; ends when its stdin does. */
function serverSource(): string {
  return `
    const server = require('node:http').createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => { body += chunk })
      request.on('end', () => {
        const { id, params } = JSON.parse(body)
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { output: params.input.value * 2 } }))
      })
    })
    server.listen(0, '127.0.0.1', () => console.log(server.address().port))
    process.stdin.on('end', () => process.exit()).resume()
  `
}
