// Memory of the runtime after many runs, and whether the last of them can still be read: `npm run bench:runtime-memory`.

import { readFileSync } from 'node:fs'
import { Pool } from 'undici'
import { GauntletError } from '../../contracts/errors.ts'
import { type Flags, helpText, parseFlags } from '../../system/program/flags.ts'
import { runMain } from '../../system/program/shutdown.ts'
import { reportGoals } from '../goals.ts'
import { startOurRuntime } from './server.ts'

const flags = {
  runs: { kind: 'whole', default: 200_000, min: 1, max: 100_000_000, help: 'Runs to make' },
  kept: { kind: 'whole', default: 10_000, min: 1, max: 1_000_000, help: 'Last runs that must be readable' },
  'result-bytes': { kind: 'whole', default: 1024, min: 16, max: 1_000_000, help: 'Size of a result' },
  clients: { kind: 'whole', default: 50, min: 1, max: 1000, help: 'Connections, kept alive' },
} as const satisfies Flags

/** MB of resident memory, of 10^6 bytes (issue 5, 7). */
const goalMb = 200
/** Lines of progress. */
const reports = 10

const config = {
  plugins: { builtin: { type: 'builtin' } },
  routes: { '/{*component}': [{ plugin: 'builtin' }] },
}
/** The result, and the step's, is the message that the run's input asks for. */
const flow = {
  name: 'memory',
  steps: [{ id: 'ask', component: '/create_messages', input: { user_prompt: { $input: '$.text' } } }],
  output: { $step: 'ask', path: '$.messages[0].content' },
}

runMain(async () => {
  const values = parseFlags(flags, process.argv.slice(2))
  if (values === 'help') {
    const summary = 'Measures the memory of the runtime after many runs, and reads the last of them back.'
    process.stdout.write(helpText('npm run bench:runtime-memory -- [flags]', summary, flags))
    return
  }
  const { runs, kept, clients } = values
  const runtime = await startOurRuntime(config, ['--keep-runs', String(kept)])
  const pool = new Pool(`http://127.0.0.1:${runtime.port}`, { connections: clients })
  try {
    const { flowId } = (await post(pool, '/flows', JSON.stringify({ flow }))) as { flowId: string }
    const ids = new Array<string>(runs)
    const points = [pointOf(runtime.pid, 0)]
    const startedAt = performance.now()
    for (let report = 1, from = 0; report <= reports; report++) {
      const to = Math.round((runs * report) / reports)
      await inParallel(from, to, clients, async (index) => {
        const body = `{"flowId":"${flowId}","input":[{"text":"${textOf(index, values['result-bytes'])}"}]}`
        const answer = (await post(pool, '/runs', body)) as { runId: string; status: string }
        if (answer.status !== 'completed') throw failed(`run ${index}`, answer)
        ids[index] = answer.runId
      })
      from = to
      const point = pointOf(runtime.pid, to)
      points.push(point)
      process.stdout.write(`${to} runs: ${point.rssMb.toFixed(1)} MB\n`)
    }
    const rps = (runs / (performance.now() - startedAt)) * 1000
    const listed = ((await get(pool, '/runs')) as { runs: { runId: string }[] }).runs
    const indexOf = new Map(ids.map((id, index) => [id, index]))
    let readable = 0
    await inParallel(0, listed.length, clients, async (at) => {
      const id = listed[at]?.runId ?? ''
      const index = indexOf.get(id) ?? -1
      // Runs end in another order than they began: one for each client may be older than the last `kept`.
      if (index < runs - kept - clients) return
      if (await isReadable(pool, id, textOf(index, values['result-bytes']))) readable++
    })
    const end = pointOf(runtime.pid, runs)
    process.stdout.write(
      `${runs} runs, ${rps.toFixed(0)}/s, then read back: ${end.rssMb.toFixed(1)} MB, at most ${end.peakMb.toFixed(1)} MB\n`,
    )
    reportGoals(
      'runtime-memory',
      [
        {
          name: 'runtime-memory-rss',
          measured: end.rssMb,
          target: goalMb,
          comparison: 'at most',
          unit: 'MB',
        },
        {
          name: 'runtime-memory-readable',
          measured: readable,
          target: Math.min(runs, kept),
          comparison: 'at least',
          unit: 'runs',
        },
      ],
      { flags: values, points, end, rps, node: process.versions.node },
    )
  } finally {
    await pool.destroy()
    await runtime.stop()
  }
})

/** A text of `bytes` that no other run has. */
function textOf(index: number, bytes: number): string {
  return `${index} `.padEnd(bytes, 'x')
}

/** Whether the run, its step and its item are all there, with the right result. */
async function isReadable(pool: Pool, id: string, text: string): Promise<boolean> {
  const [run, steps, items] = (await Promise.all(
    ['', '/steps', '/items'].map((part) => get(pool, `/runs/${id}${part}`)),
  )) as [Shown, { steps?: Record<string, Shown> }, { items?: Shown[] }]
  return (
    run.status === 'completed' &&
    run.inputs?.[0]?.text === text &&
    items.items?.[0]?.result?.result === text &&
    JSON.stringify(steps.steps?.['ask']?.result?.result ?? null).includes(text)
  )
}

interface Shown {
  readonly status?: string
  readonly inputs?: readonly { readonly text?: string }[]
  readonly result?: { readonly result?: unknown }
}

async function post(pool: Pool, path: string, body: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const { body: answer } = await pool.request({ method: 'POST', path: `/api/v1${path}`, headers, body })
  return answer.json()
}

async function get(pool: Pool, path: string): Promise<unknown> {
  const { body } = await pool.request({ method: 'GET', path: `/api/v1${path}` })
  return body.json()
}

/** Calls `work` for `from` up to `to`, `width` at a time. */
async function inParallel(
  from: number,
  to: number,
  width: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = from
  const worker = async (): Promise<void> => {
    while (next < to) await work(next++)
  }
  await Promise.all(Array.from({ length: width }, worker))
}

interface Point {
  readonly runs: number
  /** MB of 10^6 bytes: all that is resident, what is shared with other processes too. */
  readonly rssMb: number
  readonly peakMb: number
}

function pointOf(pid: number, runs: number): Point {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (field: string): number =>
    (Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024) / 1e6
  return { runs, rssMb: mb('VmRSS'), peakMb: mb('VmHWM') }
}

function failed(what: string, answer: unknown): GauntletError {
  return new GauntletError('ERR_ENVIRONMENT', `got ${JSON.stringify(answer).slice(0, 200)}`, { field: what })
}
