// However the harness or the node agent of a local cluster dies: no process, port or folder stays.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { test as anyTest, type Test } from 'tap'
import { hasParentDeathSignal } from '../../harness/cluster/local/launch.ts'
import { processesOf } from './local-cluster-helpers.ts'

const script = fileURLToPath(new URL('./programs/hold-cluster.ts', import.meta.url))
const reason = hasParentDeathSignal() ? false : 'needs /proc and the setpriv of util-linux'
const test = (name: string, run: (t: Test) => Promise<void>) => anyTest(name, { skip: reason }, run)

interface Held {
  readonly harness: ChildProcess
  readonly agentPid: number
  readonly dns: string
  readonly folder: string
  /** Calls a method in the script and gives back what came of it. */
  call(method: string): Promise<Record<string, string>>
}

/** A harness with its own temporary folder, to see what stays in it. */
async function hold(t: Test, env: Record<string, string> = {}): Promise<Held> {
  const { harness, lines } = start(t, env)
  const { dns, folder } = await next(lines)
  t.equal((await processesOf(dns!)).length, 3)
  t.ok(existsSync(folder!))
  return {
    harness,
    agentPid: parentOf((await processesOf(dns!))[0]!),
    dns: dns!,
    folder: folder!,
    call(method) {
      harness.stdin!.write(`${method}\n`)
      return next(lines)
    },
  }
}

function start(t: Test, env: Record<string, string>): { harness: ChildProcess; lines: Interface } {
  const harness = spawn(process.execPath, [script], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => harness.kill('SIGKILL'))
  return { harness, lines: createInterface({ input: harness.stdout! }) }
}

async function next(lines: Interface): Promise<Record<string, string>> {
  const [line] = (await once(lines, 'line')) as [string]
  return JSON.parse(line) as Record<string, string>
}

/** Ends with the test's own time-out where something stays. */
async function nothingStays(t: Test, { dns, folder, agentPid }: Held, folderToo = true): Promise<void> {
  const stays = async (): Promise<string | null> => {
    const pods = await processesOf(dns)
    if (pods.length > 0) return `processes ${pods.join()}`
    if (lives(agentPid)) return 'the agent'
    if (folderToo && existsSync(folder)) return 'the folder'
    return (await accepts(dns)) ? 'the DNS port' : null
  }
  const startedAt = performance.now()
  let left = await stays()
  while (left !== null && performance.now() - startedAt < 10_000) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    left = await stays()
  }
  t.equal(left, null)
}

function accepts(address: string): Promise<boolean> {
  const [host, port] = address.split(':')
  return new Promise((resolve) => {
    const socket = connect(Number(port), host)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1])
}

/** A zombie is dead: init collects it in its own time. */
function lives(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && statOf(pid)[0] !== 'Z'
}

/** State, parent and so on: what stands after the name in /proc/<pid>/stat. */
function statOf(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

test('nothing stays when the harness is killed', async (t) => {
  const held = await hold(t)
  held.harness.kill('SIGKILL')
  await nothingStays(t, held)
})

test('nothing stays when the harness is killed while a pod is frozen', async (t) => {
  const held = await hold(t)
  t.same(await held.call('freeze'), { called: 'freeze' })
  held.harness.kill('SIGKILL')
  await nothingStays(t, held)
})

test('nothing stays when the harness is killed in the middle of the boot', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'death-test-'))
  for (let delayMs = 0; delayMs <= 450; delayMs += 150) {
    const { harness, lines } = start(t, { HOLD: 'boot', TMPDIR: parent })
    await next(lines)
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    harness.kill('SIGKILL')
    const left = (): number =>
      readdirSync(parent).length +
      readdirSync('/proc').filter((pid) => environment(pid).includes(parent)).length
    while (left() > 0) await new Promise((resolve) => setTimeout(resolve, 20))
    t.pass(`killed after ${delayMs} ms`)
  }
  rmSync(parent, { recursive: true })
})

test('when the agent is killed the pods go too, and the harness is told', async (t) => {
  const held = await hold(t)
  await held.call('freeze')
  const waiting = held.call('waitReady')
  process.kill(held.agentPid, 'SIGKILL')
  t.match(await waiting, { code: 'ERR_CLUSTER', message: /node agent ended \(SIGKILL\)/ })
  for (const method of ['pods', 'scale']) {
    t.match(await held.call(method), { code: 'ERR_CLUSTER', message: /node agent ended \(SIGKILL\)/ })
  }
  t.same(await held.call('stop'), { called: 'stop' })
  await nothingStays(t, held)
})

test('when agent and harness are killed at once, the next start removes the folder', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'death-test-'))
  const held = await hold(t, { TMPDIR: parent })
  await held.call('freeze')
  killBoth(held)
  await nothingStays(t, held, false)
  t.ok(existsSync(held.folder), 'nobody was left to remove it')
  const second = await hold(t, { TMPDIR: parent })
  t.same(readdirSync(parent), [second.folder.split('/').at(-1)])
  second.harness.kill('SIGKILL')
  await nothingStays(t, second)
  rmSync(parent, { recursive: true })
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`nothing stays when a script is ended by ${signal}, whether or not it handles that`, async (t) => {
    const careless = await hold(t)
    careless.harness.kill(signal)
    await nothingStays(t, careless)
    const careful = await hold(t, { HOLD: 'stop' })
    careful.harness.kill(signal)
    t.same(await once(careful.harness, 'exit'), [code, null])
    await nothingStays(t, careful)
  })
}

test('nothing stays when the agent is told to end', async (t) => {
  const held = await hold(t)
  process.kill(held.agentPid, 'SIGTERM')
  await nothingStays(t, held)
})

test('without a parent-death signal pods follow the agent by their stdin', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'death-test-'))
  const held = await hold(t, { HOLD: 'stdin', TMPDIR: parent })
  killBoth(held)
  await nothingStays(t, held, false)
  rmSync(parent, { recursive: true })
})

/** The agent is stopped first, so that it does not see the harness's end. */
function killBoth({ harness, agentPid }: Held): void {
  process.kill(agentPid, 'SIGSTOP')
  harness.kill('SIGKILL')
  process.kill(agentPid, 'SIGKILL')
}

function environment(pid: string): string {
  try {
    return /^\d+$/.test(pid) && Number(pid) !== process.pid
      ? readFileSync(`/proc/${pid}/environ`, 'latin1')
      : ''
  } catch {
    return ''
  }
}
