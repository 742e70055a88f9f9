// Programs as processes of a benchmark: on free ports, ended by SIGKILL.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { GauntletError } from '../../contracts/errors.ts'

export interface Program {
  readonly pid: number
  readonly port: number
  /** By SIGKILL, where nothing else is said. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** A program that may not listen yet. */
export interface Launched {
  readonly pid: number
  /** Its port, once it prints one line `{"port": N}`; rejects with ERR_ENVIRONMENT when it ends before. */
  readonly announced: Promise<number>
  /** By SIGKILL, where nothing else is said. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

export function launch(
  command: string,
  args: readonly string[],
  stdin = '',
  env: NodeJS.ProcessEnv = process.env,
): Launched {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env })
  child.stdin.on('error', () => {}).end(stdin)
  // Read, or the program would block once the pipe is full; the end of it says why a start failed.
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000)
  })
  const ended = once(child, 'exit')
  const announced = new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^\{"port":\s*(\d+)\}$/.exec(line)?.[1]
      if (found !== undefined) resolve(Number(found))
    })
    const fail = (why: string): void =>
      reject(
        new GauntletError('ERR_ENVIRONMENT', `${why}: ${said}`, {
          field: [command, ...args].join(' '),
          fix: 'start it by hand to see why',
        }),
      )
    ended.then(
      () => fail('ended before it listened'),
      (error: unknown) => fail(String(error)),
    )
  })
  announced.catch(() => {})
  return {
    pid: child.pid as number,
    announced,
    async stop(signal = 'SIGKILL') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      await ended
    },
  }
}

/**
 * Starts a program and waits for the line with its port.
 * @throws GauntletError ERR_ENVIRONMENT where it ends before
 */
export async function startProgram(
  command: string,
  args: readonly string[],
  stdin = '',
  env: NodeJS.ProcessEnv = process.env,
): Promise<Program> {
  const launched = launch(command, args, stdin, env)
  return { ...launched, port: await launched.announced }
}

const main = join(import.meta.dirname, '../../system/runtime/main.ts')

/** Our runtime; `config` is what stepflow-config.yml holds. */
export function startOurRuntime(config: object, args: readonly string[] = []): Promise<Program> {
  const flags = ['--port', '0', '--admin-address', '127.0.0.1:0', '--log-level', 'error', '--config-stdin']
  return startProgram(process.execPath, [main, ...flags, ...args], JSON.stringify(config))
}
