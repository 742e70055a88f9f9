// The real runtime and ours side by side, with the same configuration, each with a component server of its own.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  answerDeadlineMs,
  Client,
  compare,
  type Difference,
  type Exchange,
  Names,
  type Request,
  whole,
} from './exchange.ts'
import { type Serving, startOurRuntime, startRealRuntime } from './program.ts'
import type { RealStepflow } from './real-stepflow.ts'
import { type StagedWorker, type Staging, startStagedWorker } from './staged-worker.ts'

/** One of the two, as a case sees it: it sends requests and notes what else there is to compare. */
export interface Side {
  readonly name: 'real' | 'ours'
  readonly worker: StagedWorker
  /** Working directory of the runtime. */
  readonly folder: string
  /** Sends without a note. */
  ask(request: Request): Promise<{ status: number; text: string }>
  /** Sends, notes the exchange, and returns its status and the body's text. */
  send(request: Request): Promise<{ status: number; text: string }>
  /** Notes something else that both sides must have alike, JSON or text. */
  note(method: string, text: string): void
}

export type Script = (side: Side) => Promise<void>

export interface PairOptions {
  /** Default: built-ins, a component server under /w and a mock under /m. */
  readonly config?: (workerUrl: string) => object
  readonly staging?: Staging
  readonly env?: Readonly<Record<string, string>>
  /** Flags of ours that the real one does not have. */
  readonly ourArgs?: readonly string[]
  /** A runtime that does not start is something to compare. */
  readonly mayNotStart?: boolean
  /** Files of the working directory. */
  readonly prepare?: (folder: string) => void
}

interface Part extends AsyncDisposable {
  readonly worker: StagedWorker
  readonly folder: string
  /** Null where the runtime did not start. */
  readonly client: Client | null
}

export class Pair implements AsyncDisposable {
  readonly #real: RealStepflow
  readonly #options: PairOptions
  readonly #parts: { real: Part; ours: Part }

  private constructor(real: RealStepflow, options: PairOptions, parts: { real: Part; ours: Part }) {
    this.#real = real
    this.#options = options
    this.#parts = parts
  }

  static async start(real: RealStepflow, options: PairOptions = {}): Promise<Pair> {
    const [theirs, own] = await Promise.all([startReal(real, options), startOurs(options)])
    return new Pair(real, options, { real: theirs, ours: own })
  }

  /**
   * Runs `script` against both. A difference in an answer or a run's result ends the comparison.
   * @param patienceMs after which the real one counts as hanging
   */
  async differences(script: Script, patienceMs: number = answerDeadlineMs.real): Promise<Difference[]> {
    const [real, ours] = await Promise.all([
      record('real', this.#parts.real, script, patienceMs),
      record('ours', this.#parts.ours, script, answerDeadlineMs.ours),
    ])
    // What hangs in the real one is left to the end of its process.
    if (real.some(({ status }) => status === 0)) await this.#renewReal()
    const found: Difference[] = []
    for (const [index, exchange] of real.entries()) {
      const other = ours[index]
      if (other === undefined) {
        found.push({ method: exchange.method, field: 'answer', real: whole(exchange), ours: null })
        break
      }
      const differences = compare(exchange, other)
      found.push(...differences)
      if (differences.some(({ field }) => lasting.has(field))) return found
    }
    return found
  }

  async #renewReal(): Promise<void> {
    await this.#parts.real[Symbol.asyncDispose]()
    this.#parts.real = await startReal(this.#real, this.#options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.real[Symbol.asyncDispose]()
    await this.#parts.ours[Symbol.asyncDispose]()
  }
}

async function startReal(real: RealStepflow, options: PairOptions): Promise<Part> {
  return startPart(options, (config, folder) =>
    startRealRuntime(real, { config, folder, env: options.env ?? {} }),
  )
}

async function startOurs(options: PairOptions): Promise<Part> {
  const args = options.ourArgs ?? []
  return startPart(options, (config, folder) =>
    startOurRuntime({ config, folder, args, env: options.env ?? {} }),
  )
}

async function startPart(
  options: PairOptions,
  start: (config: object, folder: string) => Promise<Serving>,
): Promise<Part> {
  const folder = mkdtempSync(join(tmpdir(), 'interop-'))
  const worker = await startStagedWorker(options.staging)
  const end = async (): Promise<void> => {
    await worker[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    options.prepare?.(folder)
    const starting = start((options.config ?? defaultConfig)(worker.url), folder)
    const runtime = await (options.mayNotStart === true ? starting.catch(() => null) : starting)
    const client = runtime === null ? null : new Client(runtime.url)
    return {
      worker,
      folder,
      client,
      async [Symbol.asyncDispose]() {
        await client?.close()
        await runtime?.[Symbol.asyncDispose]()
        await end()
      },
    }
  } catch (error) {
    await end()
    throw error
  }
}

async function record(
  name: Side['name'],
  part: Part,
  script: Script,
  deadlineMs: number,
): Promise<Exchange[]> {
  const exchanges: Exchange[] = []
  const names = new Names()
  const note = (method: string, text: string): void => {
    exchanges.push({ method, status: 200, headers: new Map(), body: names.tree(text) })
  }
  const { client, worker, folder } = part
  note('start', client === null ? 'ends' : 'serves')
  if (client === null) return exchanges
  const ask = async (request: Request, isNoted: boolean): Promise<{ status: number; text: string }> => {
    const { exchange, text } = await client.send(request, names, deadlineMs)
    if (isNoted) exchanges.push(exchange)
    return { status: exchange.status, text }
  }
  await script({
    ...{ name, worker, folder, note },
    send: (request) => ask(request, true),
    ask: (request) => ask(request, false),
  })
  return exchanges
}

const mocked = { input_schema: { type: 'object' }, output_schema: {} }

export function defaultConfig(workerUrl: string): object {
  const builtin = [{ plugin: 'builtin' }]
  return {
    plugins: {
      builtin: { type: 'builtin' },
      w: { type: 'stepflow', url: workerUrl },
      m: {
        type: 'mock',
        components: {
          '/one': { ...mocked, behaviors: { one: { outcome: 'success', result: { r: 1 } } } },
          '/known': {
            ...mocked,
            behaviors: {
              x: { outcome: 'success', result: { a: 'x' } },
              failed: { outcome: 'failed', error: { code: 7, message: 'no', data: { a: 1 } } },
              broken: { error: 'text' },
            },
          },
          '/broken': { ...mocked, behaviors: { x: { error: 'broken' } } },
        },
      },
    },
    routes: {
      '/w/{*component}': [{ plugin: 'w' }],
      '/m/{*component}': [{ plugin: 'm' }],
      '/builtin/{*component}': builtin,
      '/{*component}': builtin,
      '/c/{*component}': [{ plugin: 'w', conditions: [{ path: '$', value: 1 }], component: '/echo' }],
    },
  }
}

/** Where these differ the rest has to: it is not compared. */
const lasting = new Set(['answer', 'result', 'flowId'])

/** Stores a flow, runs it, and looks at the run from every side. */
export function runScript(flow: string, run: { input: string; more?: string }): Script {
  return async (side) => {
    const stored = await side.send({ method: 'POST', path: '/flows', body: `{"flow":${flow}}` })
    const { flowId, stored: isStored } = stored.status === 200 ? JSON.parse(stored.text) : {}
    if (isStored !== true) return
    await side.send({ method: 'GET', path: `/flows/${flowId}` })
    const body = `{"flowId":"${flowId}","input":${run.input},${run.more ?? ''}"maxConcurrency":10}`
    const created = await side.send({ method: 'POST', path: '/runs', body })
    if (created.status !== 200) return
    const { runId } = JSON.parse(created.text)
    for (const part of ['', '/items', '/steps', '/flow']) {
      await side.send({ method: 'GET', path: `/runs/${runId}${part}` })
    }
    await side.send({ method: 'POST', path: `/runs/${runId}/cancel` })
  }
}
