// `double` on one component server against the real Python worker: requests and CPU time, interleaved rounds.
//
//   npm run bench:component-server -- --python <a Python that has stepflow-py 0.9.0>

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { GauntletError } from '../../contracts/errors.ts'
import { type Flags, helpText, parseFlags } from '../../system/program/flags.ts'
import { runMain } from '../../system/program/shutdown.ts'
import { reportGoals } from '../goals.ts'

const flags = {
  python: { kind: 'text', default: null, env: 'STEPFLOW_PYTHON', help: 'Python that has stepflow-py 0.9.0' },
  rounds: { kind: 'whole', default: 5, min: 1, max: 100, help: 'Rounds of each server' },
  seconds: { kind: 'whole', default: 3, min: 1, max: 60, help: 'Length of a round' },
  clients: { kind: 'whole', default: 50, min: 1, max: 1000, help: 'Connections, kept alive' },
} as const satisfies Flags

/** Times the real worker's rate that ours must reach (issue 5). */
const goalRatio = 8
/** Kernel clock ticks a second, in which /proc counts CPU time. */
const ticksPerSecond = 100

interface Server {
  readonly name: 'ours' | 'real'
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

interface Round {
  readonly rps: number
  readonly cpuUsPerRequest: number
}

runMain(async () => {
  const values = parseFlags(flags, process.argv.slice(2))
  if (values === 'help') {
    const summary = 'Measures `double` on one component server, beside the real worker.'
    process.stdout.write(helpText('npm run bench:component-server -- [flags]', summary, flags))
    return
  }
  const { python, rounds, seconds, clients } = values
  const folder = import.meta.dirname
  const servers: Server[] = []
  const results = { ours: [] as Round[], real: [] as Round[] }
  try {
    const main = join(folder, '../../system/component-server/main.ts')
    const args = [main, '--port', '0', '--admin-address', '127.0.0.1:0', '--drain-delay-ms', '0']
    servers.push(await start('ours', process.execPath, args))
    if (python !== null) servers.push(await start('real', python, [join(folder, 'worker.py'), '0']))
    // One unmeasured round warms both up.
    for (let round = 0; round <= rounds; round++) {
      for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
        const result = await measure(server, seconds, clients)
        if (round === 0) continue
        results[server.name].push(result)
        const { rps, cpuUsPerRequest } = result
        process.stdout.write(
          `round ${round} ${server.name}: ${rps.toFixed(0)} req/s, ${cpuUsPerRequest.toFixed(1)} µs CPU a request\n`,
        )
      }
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
  const summary = Object.fromEntries(
    Object.entries(results).map(([name, list]) => [
      name,
      { rps: median(list.map(({ rps }) => rps)), cpuUs: median(list.map((one) => one.cpuUsPerRequest)) },
    ]),
  )
  const [ours, real] = [summary['ours']?.rps ?? null, summary['real']?.rps ?? null]
  const ratio = ours === null || real === null ? null : ours / real
  reportGoals(
    'component-server',
    [
      {
        name: 'component-server-double',
        measured: ratio,
        target: goalRatio,
        comparison: 'at least',
        unit: "times the real worker's rate",
      },
    ],
    { rounds: results, medians: summary, clients, seconds },
  )
})

/** Starts a server and reads its port from the line that both print. */
async function start(name: Server['name'], command: string, args: readonly string[]): Promise<Server> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = once(child, 'exit').then(() => {
    throw new GauntletError('ERR_ENVIRONMENT', 'ended before it listened', {
      field: [command, ...args].join(' '),
      fix: 'start it by hand to see why',
    })
  })
  exited.catch(() => {})
  const port = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const port = /^\{"port": (\d+)\}$/.exec(line)?.[1]
      if (port !== undefined) return Number(port)
    }
    return exited
  })()
  return {
    name,
    port: await Promise.race([port, exited]),
    pid: child.pid as number,
    async stop() {
      child.kill('SIGKILL')
      await exited.catch(() => {})
    },
  }
}

async function measure({ port, pid }: Server, seconds: number, clients: number): Promise<Round> {
  const script = join(import.meta.dirname, 'double.lua')
  const before = cpuSeconds(pid)
  const args = ['-t1', `-c${clients}`, `-d${seconds}s`, '-s', script, `http://127.0.0.1:${port}/`]
  const { stdout } = await promisify(execFile)('wrk', args).catch((error: unknown) => {
    throw new GauntletError('ERR_ENVIRONMENT', 'cannot be run', {
      field: 'wrk',
      fix: 'install it, e.g. apt-get install wrk',
      cause: error,
    })
  })
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  const rps = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
  if (/Non-2xx|Socket errors/.test(stdout) || !(requests > 0)) {
    throw new GauntletError('ERR_ENVIRONMENT', `had failing requests:\n${stdout}`, { field: 'wrk' })
  }
  return { rps, cpuUsPerRequest: ((cpuSeconds(pid) - before) / requests) * 1e6 }
}

/** CPU time of a process so far, user and system. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function median(list: readonly number[]): number | null {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? null
}
