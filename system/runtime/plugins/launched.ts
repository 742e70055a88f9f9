// The stepflow plugin by a launched command: a child process on a port that it prints, restarted when it dies.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { GauntletError } from '../../../contracts/errors.ts'
import type { Log } from '../../program/log.ts'
import { awaitProgram } from './await-program.ts'
import type { CallOutcome, CallTimeouts, Plugin } from './plugin.ts'
import { Restarts } from './restarts.ts'
import { defaultStepMs } from './stepflow/call.ts'

export interface LaunchOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly healthPath: string
  readonly healthTimeoutMs: number
  readonly healthRetryMs: number
  readonly timeouts: CallTimeouts
  /** Log what it prints at info instead of debug. */
  readonly verbose: boolean
  readonly log: Log
  /** The plugin that calls the child at `url`. */
  readonly connect: (url: URL) => Plugin
}

/** ms for the line with the port, and between SIGTERM and SIGKILL. */
const portTimeoutMs = 30_000
const killAfterMs = 5_000
/** Calls that found no child are made again, this often at most. */
const maxAttempts = 3

interface Running {
  readonly child: ChildProcess
  readonly plugin: Plugin
}

export function createLaunchedPlugin(options: LaunchOptions): Plugin {
  const { name, log } = options
  const closing = new AbortController()
  /** Null while there is none to call. */
  let up: Running | null = null
  const restarts = new Restarts<Running>({
    launch: async (signal) => {
      const running = await launchOnce(options, signal)
      up = running
      running.child.once('exit', (code, killedBy) => {
        up = null
        if (closing.signal.aborted) return
        log.warn(
          { plugin: name, code, signal: killedBy, restartMs: restarts.waitMs },
          'component server died, starting it again',
        )
        void running.plugin.close()
        restarts.again()
      })
      return running
    },
    closing: closing.signal,
    onFailed: (error) => log.warn({ plugin: name, error: String(error) }, 'component server does not start'),
  })

  return {
    remote: true,
    start: (signal) => restarts.start(signal),
    async execute(call) {
      let outcome: CallOutcome = { kind: 'broken', causes: [{ error: 'not started' }], details: {} }
      const stepMs = call.timeouts.stepMs ?? options.timeouts.stepMs ?? defaultStepMs
      const giveUpAt = performance.now() + stepMs
      for (let attempt = 1; attempt <= maxAttempts; attempt++) {
        if (restarts.current === null) return outcome
        let running = up
        if (running === null) {
          const waited = await awaitProgram(restarts.current, call, stepMs, giveUpAt - performance.now())
          if ('broken' in waited) return waited.broken
          running = waited.program
        }
        const left = Math.max(1, Math.round(giveUpAt - performance.now()))
        const timeouts = { ...call.timeouts, stepMs: left }
        outcome = await running.plugin.execute({ ...call, timeouts })
        // Only what surely did not run is called again.
        if (outcome.kind !== 'broken' || outcome.unsent !== true) return outcome
        await sleep(options.healthRetryMs)
      }
      return outcome
    },
    async components() {
      if (restarts.current === null) throw new Error('not started')
      return (await restarts.current).plugin.components()
    },
    async close() {
      closing.abort()
      const running = await restarts.current?.catch(() => null)
      if (running == null) return
      await running.plugin.close()
      await stop(running.child)
    },
  }
}

/** @throws GauntletError ERR_PLUGIN */
async function launchOnce(options: LaunchOptions, signal: AbortSignal): Promise<Running> {
  const { name, command, args, env, cwd, log } = options
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that what it starts ends with it.
    detached: true,
  })
  const failed = once(child, 'error').then(([error]) => {
    throw problem(name, `cannot start ${command}: ${error}`)
  })
  failed.catch(() => {})
  const say = (stream: string) => (line: string) =>
    log[options.verbose ? 'info' : 'debug']({ plugin: name, stream, line }, 'component server says')
  if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', say('stderr'))
  try {
    const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })
    const port = await Promise.race([readPort(child, lines, options, signal), failed])
    lines.on('line', say('stdout'))
    const url = new URL(`http://127.0.0.1:${port}/`)
    await waitHealthy(new URL(options.healthPath, url), options, signal)
    const plugin = options.connect(url)
    await plugin.start(signal)
    log.info({ plugin: name, pid: child.pid, port }, 'component server started')
    return { child, plugin }
  } catch (error) {
    await stop(child)
    throw error
  }
}

/** The port of the first line `{"port": N}`; other lines are passed over with a warning. */
function readPort(
  child: ChildProcess,
  lines: Interface,
  { name, log }: LaunchOptions,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      lines.removeListener('line', onLine)
      child.removeListener('exit', onExit)
      signal.removeEventListener('abort', onAbort)
    }
    const fail = (text: string): void => {
      end()
      reject(problem(name, text))
    }
    const onLine = (line: string): void => {
      const port = portOf(line)
      if (port === null) {
        log.warn({ plugin: name, line: line.slice(0, 500) }, 'expected the line with the port')
        return
      }
      end()
      resolve(port)
    }
    const onExit = (code: number | null, by: string | null): void =>
      fail(`ended with ${code ?? by} before it printed its port`)
    const onAbort = (): void => fail('given up')
    const timer = setTimeout(() => fail(`printed no {"port": N} within ${portTimeoutMs} ms`), portTimeoutMs)
    lines.on('line', onLine)
    child.once('exit', onExit)
    signal.addEventListener('abort', onAbort)
  })
}

function portOf(line: string): number | null {
  try {
    const { port } = JSON.parse(line) as { port?: unknown }
    return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65536 ? port : null
  } catch {
    return null
  }
}

async function waitHealthy(url: URL, options: LaunchOptions, signal: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + options.healthTimeoutMs
  for (;;) {
    signal.throwIfAborted()
    try {
      const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) })
      await answer.body?.cancel()
      if (answer.ok) return
    } catch (error) {
      if (signal.aborted) throw error
    }
    if (performance.now() > giveUpAt) {
      throw problem(options.name, `${url.href} not healthy within ${options.healthTimeoutMs} ms`)
    }
    await sleep(options.healthRetryMs, undefined, { signal })
  }
}

/** SIGTERM to its process group, SIGKILL when it does not heed it. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  killGroup(child.pid, 'SIGTERM')
  const timer = setTimeout(() => killGroup(child.pid as number, 'SIGKILL'), killAfterMs)
  await exited
  clearTimeout(timer)
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function problem(name: string, text: string): GauntletError {
  return new GauntletError('ERR_PLUGIN', text, { field: `plugins.${name}`, fix: 'see what the command says' })
}
