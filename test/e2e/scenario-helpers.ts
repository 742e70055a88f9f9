// Starts scenarios as a user does, for tests, and looks at what they leave behind.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Results } from '../../contracts/results.ts'

export const root = join(import.meta.dirname, '../..')
const zx = join(root, 'node_modules/zx/build/cli.js')

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Starts `zx FILE ARGS`; `ended` resolves with its exit code and what it printed. */
export function start(
  file: string,
  args: readonly string[],
  node = process.execPath,
): { child: ChildProcess; ended: Promise<Ended>; said: (text: string) => Promise<void> } {
  const child = spawn(node, [zx, file, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, out, err })))
  const said = async (text: string): Promise<void> => {
    while (!out.includes(text)) {
      if (child.exitCode !== null) throw new Error(`ended without saying ${text}: ${out}${err}`)
      await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), ended])
    }
  }
  return { child, ended, said }
}

export async function run(
  t: Test,
  file: string,
  ...args: readonly string[]
): Promise<Ended & { out: string; folder: string }> {
  const folder = t.testdir({})
  const ended = await start(file, [...args, '--out', folder]).ended
  return { ...ended, folder }
}

/** Sends a signal to a scenario under load, which must end with that code and a report of what was measured until then. */
export async function interrupt(t: Test, signal: NodeJS.Signals, code: number): Promise<void> {
  const folder = join(t.testdir({ [signal]: {} }), signal)
  const { child, ended, said } = start('test/e2e/scenarios/waits.mjs', ['--out', folder])
  await said('under load')
  child.kill(signal)
  const { code: found, out } = await ended
  t.equal(found, code, out)
  const [scenario] = resultsIn(folder).scenarios
  t.match(scenario?.ended, { kind: 'interrupted', message: signal })
  t.ok((scenario?.loads[0]?.load.completed ?? 0) > 0, 'the load until then is in the report')
  const failed = scenario?.judgements.filter(({ outcome }) => outcome === 'fail')
  t.same(failed, [], 'being interrupted is no defect')
}

export function resultsIn(folder: string): Results {
  return JSON.parse(readFileSync(join(folder, 'latest/results.json'), 'utf8')) as Results
}

/** Every process below `pid`, by /proc. */
export function descendants(pid: number): readonly number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        return [[Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])] as const]
      } catch {
        return []
      }
    })
  const found: number[] = []
  const visit = (parent: number): void => {
    for (const [child, of] of parents) {
      if (of !== parent) continue
      found.push(child)
      visit(child)
    }
  }
  visit(pid)
  return found
}

export function alive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return false
  }
}

/** Resolves when all are gone, or after 20 s. */
export async function gone(pids: readonly number[]): Promise<void> {
  for (let left = 200; left > 0 && pids.some(alive); left -= 1) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
