// Programs of both kinds as children of a test, which none of them outlives, however it ends.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { RealStepflow } from './real-stepflow.ts'

const systemFile = (path: string): string => fileURLToPath(new URL(`../../system/${path}`, import.meta.url))

export interface Program extends AsyncDisposable {
  readonly pid: number
  /** Everything it printed so far. */
  said(): string
  /** The first line that `pattern` matches. @throws Error when the program ends before */
  line(pattern: RegExp): Promise<RegExpExecArray>
  /** Exit code or signal, when it has ended. */
  readonly ended: Promise<number | string>
}

/** A program and where it serves. */
export interface Serving extends Program {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
}

/** The shell looks whether the test is still its parent before it becomes the program: see launch.ts. */
const becomeChild = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"'

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** The kernel kills the program when this process dies. Disposing kills it, and what is in its process group. */
export function startProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Program {
  const child: ChildProcess = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'sh', '-c', becomeChild, 'sh', String(process.pid), command, ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      cwd: options.cwd ?? tmpdir(),
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...options.env },
    },
  )
  let said = ''
  const lines: string[] = []
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', (text) => {
      lines.push(text)
      said += `${text}\n`
      for (const look of waiting) look()
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => (code as number | null) ?? String(signal))
  const line = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      let next = 0
      const look = (): void => {
        for (; next < lines.length; next++) {
          const found = pattern.exec(lines[next] as string)
          if (found === null) continue
          waiting.delete(look)
          resolve(found)
          return
        }
      }
      waiting.add(look)
      look()
      void ended.then((code) => reject(new Error(`${command} ended with ${code} before ${pattern}: ${said}`)))
    })
  return {
    pid: child.pid as number,
    said: () => said,
    line,
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        try {
          process.kill(-(child.pid as number), 'SIGKILL')
        } catch {
          // It ended by itself meanwhile.
        }
      }
      await ended
    },
  }
}

async function serving(program: Program, port: Promise<string | number>): Promise<Serving> {
  try {
    return Object.assign(program, { url: `http://127.0.0.1:${await port}` })
  } catch (error) {
    await program[Symbol.asyncDispose]()
    throw error
  }
}

export interface RuntimeStart {
  /** The configuration, as JSON. */
  readonly config: object
  /** Working directory, which gets the configuration file; default a new one that goes with the program. */
  readonly folder?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export function startRealRuntime(real: RealStepflow, start: RuntimeStart): Promise<Serving> {
  return startRuntime(real.server, [], start)
}

export function startOurRuntime(start: RuntimeStart): Promise<Serving> {
  return startRuntime(
    process.execPath,
    [systemFile('runtime/main.ts'), '--admin-address', '127.0.0.1:0'],
    start,
  )
}

async function startRuntime(
  command: string,
  first: readonly string[],
  start: RuntimeStart,
): Promise<Serving> {
  const folder = start.folder ?? mkdtempSync(join(tmpdir(), 'interop-'))
  const config = join(folder, 'stepflow-config.json')
  writeFileSync(config, JSON.stringify(start.config))
  const args = [...first, '--port', '0', '--config', config, ...(start.args ?? [])]
  const program = startProgram(command, args, { cwd: folder, env: start.env ?? {} })
  if (start.folder === undefined)
    void program.ended.then(() => rmSync(folder, { recursive: true, force: true }))
  return serving(
    program,
    program.line(/^\{"port":(\d+)\}$/).then(([, port]) => port as string),
  )
}

/** `double`, `store_and_retrieve_blob` and the others, each pod with an instance id of its own. */
export function startComponentServer(): Promise<Serving> {
  const program = startProgram(process.execPath, [systemFile('component-server/main.ts'), '--port', '0'])
  return serving(
    program,
    program.line(/^\{"port": ?(\d+)\}$/).then(([, port]) => port as string),
  )
}

/** Resolves once every one of `upstreams` takes work. */
export async function startBalancer(upstreams: readonly Serving[]): Promise<Serving> {
  const free = ['--bind-address', '--admin-address', '--metrics-address'].flatMap((flag) => [
    flag,
    '127.0.0.1:0',
  ])
  const names = upstreams.map(({ url }) => new URL(url).host).join(',')
  const program = startProgram(process.execPath, [
    systemFile('balancer/main.ts'),
    ...['--upstream-service', names, ...free],
  ])
  const started = await serving(
    program,
    program.line(/^\{"port": ?(\d+)\}$/).then(([, port]) => port as string),
  )
  const [, admin] = await started.line(/"admin":"([^"]+)"/)
  await ready(`http://${admin}/readyz`)
  return started
}

/** The real worker of `stepflow-py` with the components of `worker.py`. */
export function startRealWorker(real: RealStepflow): Promise<Serving> {
  const program = startProgram(real.python, [fileURLToPath(new URL('worker.py', import.meta.url))], {
    env: { STEPFLOW_TRACE_ENABLED: 'false', PYTHONUNBUFFERED: '1' },
  })
  return serving(
    program,
    program.line(/^\{"port": ?(\d+)\}$/).then(([, port]) => port as string),
  )
}

/** ms between looks at a readiness endpoint. */
const lookMs = 20

async function ready(url: string): Promise<void> {
  for (;;) {
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
}
