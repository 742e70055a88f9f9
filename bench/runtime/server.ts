// The runtime as a process of a benchmark: started on free ports with a configuration, ended by SIGKILL.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { GauntletError } from '../../contracts/errors.ts'

export interface Program {
  readonly pid: number
  readonly port: number
  stop(): Promise<void>
}

/**
 * Starts a program that prints one line `{"port": N}`.
 * @throws GauntletError ERR_ENVIRONMENT where it ends before
 */
export async function startProgram(
  command: string,
  args: readonly string[],
  stdin = '',
  env: NodeJS.ProcessEnv = process.env,
): Promise<Program> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env })
  child.stdin.end(stdin)
  // Read, or the program would block once the pipe is full; the end of it says why a start failed.
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000)
  })
  const ended = once(child, 'exit')
  const failed = ended.then(() => {
    throw new GauntletError('ERR_ENVIRONMENT', `ended before it listened: ${said}`, {
      field: [command, ...args].join(' '),
      fix: 'start it by hand to see why',
    })
  })
  failed.catch(() => {})
  const port = new Promise<number>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^\{"port":\s*(\d+)\}$/.exec(line)?.[1]
      if (found !== undefined) resolve(Number(found))
    })
  })
  return {
    port: await Promise.race([port, failed]),
    pid: child.pid as number,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    },
  }
}

const main = join(import.meta.dirname, '../../system/runtime/main.ts')

/** Our runtime; `config` is what stepflow-config.yml holds. */
export function startOurRuntime(config: object, args: readonly string[] = []): Promise<Program> {
  const flags = ['--port', '0', '--admin-address', '127.0.0.1:0', '--log-level', 'error', '--config-stdin']
  return startProgram(process.execPath, [main, ...flags, ...args], JSON.stringify(config))
}
