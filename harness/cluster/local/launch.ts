// Starts a pod's program so that it cannot outlive the node agent.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { answerFile, takesCoverage } from './coverage.ts'

export interface LaunchOptions {
  /** Arguments for Node: its own, the program's file, the program's. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Gets the program's stdout and stderr, appended. */
  readonly logFile: string
  /** By `setpriv`; see hasParentDeathSignal. */
  readonly parentDeathSignal: boolean
}

type Stdio = 'ignore' | 'pipe' | 'ipc' | number

/**
 * True where util-linux's setpriv is there: then the kernel itself kills the pods when the agent dies, also
 * pods that are stopped by SIGSTOP. busybox's setpriv does not know the option.
 */
export function hasParentDeathSignal(): boolean {
  return (
    process.platform === 'linux' &&
    spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0
  )
}

/**
 * The signal is asked for after the fork, so an agent that died in between would never cause it: the shell
 * looks whether the agent is still its parent before it becomes Node. ($PPID is read when the shell starts,
 * which is after setpriv asked.)
 */
const shellScript = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"'

const followParentFile = fileURLToPath(new URL('./follow-parent.ts', import.meta.url))

/**
 * A new session for each pod: a Ctrl-C in the harness's terminal does not reach it, and its whole process
 * group can be killed, with whatever it started.
 *
 * Without setpriv (macOS) a preload ends the pod when the pipe on its stdin does. That is as good as it gets
 * there: a pod stopped by SIGSTOP survives if agent and harness are both killed by SIGKILL meanwhile.
 */
export function launch(options: LaunchOptions): ChildProcess {
  const log = openSync(options.logFile, 'a')
  const coverage = takesCoverage(options.env)
  const stdio = (stdin: Stdio): Stdio[] => [stdin, log, log, ...(coverage ? (['ipc'] as const) : [])]
  const args = [...(coverage ? ['--import', answerFile] : []), ...options.args]
  try {
    if (options.parentDeathSignal) {
      return spawn(
        'setpriv',
        [
          ...['--pdeathsig', 'KILL', 'sh', '-c', shellScript, 'pod', String(process.pid)],
          ...[process.execPath, ...args],
        ],
        { env: options.env, detached: true, stdio: stdio('ignore') },
      )
    }
    return spawn(process.execPath, ['--import', followParentFile, ...args], {
      env: options.env,
      detached: true,
      stdio: stdio('pipe'),
    })
  } finally {
    closeSync(log)
  }
}

/** Signals a pod's program and all it started. False: there is none any more. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, signal)
  } catch {
    return false
  }
}
