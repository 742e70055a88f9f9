// The balancer as a process of its own, for tests: on free ports, and gone with the test.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Owner, until } from '../../system/balancer/test-support.ts'
import { programEnv } from '../program-env.ts'

export const main = join(import.meta.dirname, '../../system/balancer/main.ts')

export interface Program {
  readonly child: ChildProcess
  readonly port: number
  readonly admin: string
  log(): string
  exit(): Promise<number | null>
}

/** Starts the program on free ports; resolves once it is ready. */
export async function startBalancerProgram(
  owner: Owner,
  upstream: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
  /** Most descriptors it may have; default: as many as this process. */
  descriptors: number | null = null,
): Promise<Program> {
  const limited = descriptors === null ? [] : ['prlimit', `--nofile=${descriptors}`]
  const [command = '', ...before] = [...limited, process.execPath, main]
  const child = spawn(
    command,
    [
      ...before,
      ...['--upstream-service', upstream, '--bind-address', '127.0.0.1:0', '--admin-address', '127.0.0.1:0'],
      ...['--metrics-address', '127.0.0.1:0', ...args],
    ],
    {
      env: programEnv({ POD_NAME: 'lb-1', ...env }),
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exited = once(child, 'exit')
  owner.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let log = ''
  child.stdout!.setEncoding('utf8')
  child.stdout!.on('data', (text: string) => {
    log += text
  })
  await until(() => log.includes('"listening"') || child.exitCode !== null)
  const listening = JSON.parse(log.split('\n').find((line) => line.includes('"listening"')) ?? '{}') as {
    admin: string
  }
  const port = Number(/^\{"port":(\d+)\}$/m.exec(log)?.[1])
  const admin = `http://${listening.admin}`
  await until(async () => (await fetch(`${admin}/readyz`)).status === 200)
  return { child, port, admin, log: () => log, exit: async () => (await exited)[0] as number | null }
}
