// Our runtime, balancer and component servers beside the real ones, interleaved in one run: `npm run bench:runtime`.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GauntletError } from '../../contracts/errors.ts'
import { type Flags, helpText, parseFlags } from '../../system/program/flags.ts'
import { runMain } from '../../system/program/shutdown.ts'
import { findStepflow } from '../../test/interop/real-stepflow.ts'
import { cpuUs, median } from '../balancer/proc.ts'
import { type Goal, reportGoals } from '../goals.ts'
import { type RealParts, type Stack, startOurs, startReal } from './stacks.ts'

const parts = ['double', 'blob', 'put_blob', 'component'] as const
type Part = (typeof parts)[number]

const flags = {
  part: { kind: 'choice', choices: ['all', ...parts], default: 'all', help: 'What to measure' },
  venv: {
    kind: 'text',
    default: null,
    env: 'STEPFLOW_VENV',
    help: 'Virtual environment with stepflow-orchestrator and stepflow-py 0.9.0; default: one of its own, built once',
  },
  rounds: { kind: 'whole', default: 5, min: 1, max: 100, help: 'Rounds of each stack; the median counts' },
  'warm-up-seconds': { kind: 'whole', default: 20, min: 1, max: 60, help: 'Length of the round before' },
  seconds: { kind: 'whole', default: 3, min: 1, max: 60, help: 'Length of a round' },
  clients: { kind: 'whole', default: 50, min: 1, max: 1000, help: 'Connections, kept alive' },
} as const satisfies Flags

/** What is asked, of whom, and what ours must reach (issue 5). */
interface Work {
  readonly workers: number
  /** Null: a component server is asked, not the runtime. */
  readonly flow: object | null
  readonly input: unknown
  /** What one answer must hold. */
  readonly answer: RegExp
  readonly goal: Pick<Goal, 'target' | 'comparison' | 'unit'> & { readonly of: 'rate' | 'cpu' }
}

const oneStep = (component: string, input: unknown): object => ({
  name: 'bench',
  steps: [{ id: 's', component, input }],
  output: { $step: 's' },
})
const times = (target: number, what = "times the real stack's rate"): Work['goal'] => ({
  ...{ of: 'rate', target, unit: what, comparison: 'at least' },
})

const works: Readonly<Record<Part, Work>> = {
  double: {
    workers: 3,
    flow: oneStep('/python/double', { value: { $input: '$.value' } }),
    input: { value: 5 },
    answer: /"result":\{"result":10\}/,
    goal: times(4),
  },
  blob: {
    workers: 3,
    flow: oneStep('/python/store_and_retrieve_blob', { data: { $input: '$' } }),
    input: { some: 'data', value: 5 },
    answer: /"retrieved_data":\{"some":"data","value":5\}/,
    goal: times(5),
  },
  put_blob: {
    workers: 0,
    flow: oneStep('/put_blob', { data: { $input: '$' }, blob_type: 'data' }),
    input: { some: 'data', value: 5 },
    answer: /"blob_id":"[0-9a-f]{64}"/,
    goal: { of: 'cpu', target: 1, comparison: 'at most', unit: "times the real runtime's CPU time a run" },
  },
  component: {
    workers: 1,
    flow: null,
    input: { value: 5 },
    answer: /"result":\{"output":\{"result":10\}\}/,
    goal: times(8, "times the real worker's rate"),
  },
}

interface Round {
  readonly rps: number
  /** CPU time of the stack's processes for one request, µs. */
  readonly cpuUs: number
  /** Of the runtime alone, or of the component server where that is asked. */
  readonly ownCpuUs: number
}

type Rounds = Readonly<Record<Stack['name'], Round[]>>

runMain(async () => {
  const values = parseFlags(flags, process.argv.slice(2))
  if (values === 'help') {
    const summary =
      'Measures our stack and the real Stepflow 0.9.0 side by side: runs a second and CPU time a run.'
    process.stdout.write(helpText('npm run bench:runtime -- [flags]', summary, flags))
    return
  }
  const real = await findReal(values.venv)
  const folder = mkdtempSync(join(tmpdir(), 'bench-runtime-'))
  const goals: Goal[] = []
  const details: Record<string, unknown> = { flags: values, node: process.versions.node }
  if (typeof real === 'string') process.stdout.write(`without the real stack: ${real}\n`)
  try {
    for (const part of parts) {
      if (values.part !== 'all' && values.part !== part) continue
      const { rounds, balancer } = await measurePart(
        part,
        values,
        typeof real === 'string' ? null : real,
        folder,
      )
      const medians = { ours: mediansOf(rounds.ours), real: mediansOf(rounds.real) }
      details[part] = { balancer, medians, rounds }
      showPart(part, medians, rounds, balancer)
      goals.push(goalOf(part, medians))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  reportGoals('runtime', goals, details)
})

type Values = Exclude<ReturnType<typeof parseFlags<typeof flags>>, 'help'>

async function measurePart(
  part: Part,
  values: Values,
  real: RealParts | null,
  folder: string,
): Promise<{ rounds: Rounds; balancer: string | null }> {
  const { workers } = works[part]
  const stacks: Stack[] = []
  const rounds: Rounds = { ours: [], real: [] }
  try {
    stacks.push(await startOurs({ workers, folder }))
    if (real !== null) stacks.push(await startReal(real, { workers, folder }))
    const targets = await Promise.all(
      stacks.map(async (stack) => ({ stack, ...(await prepare(part, stack)) })),
    )
    // One round that is not counted warms everything up; which stack comes first changes from round to round.
    for (let round = 0; round <= values.rounds; round++) {
      for (const target of round % 2 === 0 ? targets : targets.toReversed()) {
        const seconds = round === 0 ? values['warm-up-seconds'] : values.seconds
        const result = await measure(target, seconds, values.clients)
        if (round === 0) continue
        rounds[target.stack.name].push(result)
        process.stdout.write(
          `${part} round ${round} ${target.stack.name}: ${result.rps.toFixed(0)}/s, ${result.cpuUs.toFixed(0)} µs CPU\n`,
        )
      }
    }
    return { rounds, balancer: stacks[1]?.balancer ?? null }
  } finally {
    await Promise.all(stacks.map((stack) => stack.stop()))
  }
}

interface Target {
  readonly url: string
  readonly body: string
  /** The one whose CPU time is `ownCpuUs`. */
  readonly pid: number
}

/** Stores the flow and makes one request, whose answer must be right. */
async function prepare(part: Part, stack: Stack): Promise<Target> {
  const { flow, input, answer } = works[part]
  const [worker] = stack.workers
  const asksRuntime = flow !== null || worker === undefined
  const program = asksRuntime ? stack.runtime : worker
  const base = `http://127.0.0.1:${program.port}`
  const target = {
    pid: program.pid,
    url: asksRuntime ? `${base}/api/v1/runs` : `${base}/`,
    body: asksRuntime
      ? JSON.stringify({
          flowId: JSON.parse(await post(`${base}/api/v1/flows`, JSON.stringify({ flow }))).flowId,
          input: [input],
          maxConcurrency: 10,
        })
      : executeBody(input),
  }
  const text = await post(target.url, target.body)
  if (!answer.test(text)) {
    throw new GauntletError('ERR_ENVIRONMENT', `answered ${text.slice(0, 500)}`, {
      field: `${stack.name} ${part}`,
    })
  }
  return target
}

/** components/execute as runtimes send it. */
function executeBody(input: unknown): string {
  const runId = '01a20a36-b1da-7772-9357-78715e0c93f3'
  const traceId = runId.replaceAll('-', '')
  const ids = {
    trace_id: traceId,
    span_id: '48b86b7200000071',
    run_id: runId,
    flow_id: 'a1'.repeat(32),
    step_id: 's',
  }
  const params = { component: '/double', input, attempt: 1, observability: ids }
  return JSON.stringify({
    ...{ jsonrpc: '2.0', id: '01a20a36-b1da-7772-9357-789ca75de702', method: 'components/execute', params },
  })
}

async function post(url: string, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  return (await fetch(url, { method: 'POST', headers, body })).text()
}

async function measure(target: Target & { stack: Stack }, seconds: number, clients: number): Promise<Round> {
  const { stack, url, body, pid } = target
  const look = (): [number, number] => [cpuUs(stack.pids), cpuUs([pid])]
  const before = look()
  const script = join(import.meta.dirname, 'body.lua')
  const child = spawn('wrk', ['-t1', `-c${clients}`, `-d${seconds}s`, '-s', script, url], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, BODY: body },
  })
  let stdout = ''
  child.stdout.on('data', (bytes) => {
    stdout += String(bytes)
  })
  await once(child, 'close').catch((cause: unknown) => {
    throw new GauntletError('ERR_ENVIRONMENT', 'cannot be run', {
      field: 'wrk',
      fix: 'install it, e.g. apt-get install wrk',
      cause,
    })
  })
  const after = look()
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  const rps = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
  if (/Non-2xx|Socket errors/.test(stdout) || !(requests > 0)) throw failing(stack, stdout)
  // A run that failed is answered with 200 as well.
  const failed = await (await fetch(`${url}?status=failed&limit=1`)).text()
  if (url.endsWith('/runs') && failed !== '{"runs":[]}') throw failing(stack, failed)
  return { rps, cpuUs: (after[0] - before[0]) / requests, ownCpuUs: (after[1] - before[1]) / requests }
}

function failing(stack: Stack, what: string): GauntletError {
  return new GauntletError('ERR_ENVIRONMENT', `had failing requests: ${what.slice(0, 1000)}`, {
    field: `${stack.name} stack`,
  })
}

interface Medians extends Round {
  /** Least and most rate of a round. */
  readonly spread: readonly [number, number]
}

function mediansOf(rounds: readonly Round[]): Medians | null {
  if (rounds.length === 0) return null
  const rates = rounds.map(({ rps }) => rps)
  return {
    rps: median(rates),
    cpuUs: median(rounds.map((round) => round.cpuUs)),
    ownCpuUs: median(rounds.map((round) => round.ownCpuUs)),
    spread: [Math.min(...rates), Math.max(...rates)],
  }
}

type BothMedians = Readonly<Record<Stack['name'], Medians | null>>

function showPart(part: Part, medians: BothMedians, rounds: Rounds, balancer: string | null): void {
  process.stdout.write(
    `\n${part}, medians of ${rounds.ours.length} rounds${balancer === null ? '' : `, the real one behind ${balancer}`}\n`,
  )
  for (const [name, one] of Object.entries(medians)) {
    if (one === null) continue
    const [least, most] = one.spread
    process.stdout.write(
      `  ${name.padEnd(5)} ${one.rps.toFixed(0)}/s (${least.toFixed(0)} to ${most.toFixed(0)}), CPU ${one.cpuUs.toFixed(0)} µs` +
        ` a request, ${one.ownCpuUs.toFixed(0)} µs of it in the program that is asked\n`,
    )
  }
  process.stdout.write('\n')
}

/** The ratio within this run; null where the real stack is not here. */
function goalOf(part: Part, { ours, real }: BothMedians): Goal {
  const { of, ...goal } = works[part].goal
  const ratio = (a: number | undefined, b: number | undefined): number | null =>
    a === undefined || b === undefined ? null : a / b
  return {
    name: `runtime-${part.replaceAll('_', '-')}`,
    measured: of === 'rate' ? ratio(ours?.rps, real?.rps) : ratio(ours?.ownCpuUs, real?.ownCpuUs),
    ...goal,
  }
}

/** The real programs, or why there are none. */
async function findReal(venv: string | null): Promise<RealParts | string> {
  if (venv === null) {
    const { skip, real } = await findStepflow()
    return skip === false ? real() : skip
  }
  const python = join(venv, 'bin/python')
  const script = 'import stepflow_orchestrator as s, stepflow_py; print(s.__path__[0])'
  const { status, stdout } = spawnSync(python, ['-c', script], { encoding: 'utf8' })
  if (status !== 0) return `${python} has not both packages`
  return { python, server: join(stdout.trim(), 'bin/stepflow-server') }
}
