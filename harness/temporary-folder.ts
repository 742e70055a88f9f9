// Temporary folders of a process: who owns one is in its name, so a later start can remove what was left.

import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'stepflow-gauntlet-'

/** A process, told apart from a later one with the same id. */
export interface Owner {
  readonly pid: number
  /** Clock ticks since boot at its start; 0 where the platform does not say. */
  readonly startTime: number
  /** Number of its PID namespace, for containers may share a /tmp; 0 where the platform does not say. */
  readonly pidNamespace: number
}

/** The folder's name is set by one mkdir(2), so there is no moment without an owner. */
export function folderName(owner: Owner, random: string): string {
  return `${prefix}${owner.pidNamespace}-${owner.pid}-${owner.startTime}-${random}`
}

/** Null: not a folder of ours. */
export function ownerOf(name: string): Owner | null {
  const match = /^(\d+)-(\d+)-(\d+)-[a-z0-9]+$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '')
  if (match === null) return null
  return { pidNamespace: Number(match[1]), pid: Number(match[2]), startTime: Number(match[3]) }
}

export function thisOwner(): Owner {
  return {
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? 0,
    pidNamespace: pidNamespace(),
  }
}

/** Makes a folder only its user can read: logs and inputs may be private. */
export function makeFolder(parent: string, random: string): string {
  const folder = join(parent, folderName(thisOwner(), random))
  mkdirSync(folder, { mode: 0o700 })
  return folder
}

/** A folder of this process among the system's temporary ones; those of processes that are gone are removed. */
export function makeTemporaryFolder(): string {
  sweepFolders(tmpdir())
  return makeFolder(tmpdir(), randomUUID().slice(0, 8))
}

/** Removes the folders in `parent` whose owners are gone. Never throws: others' folders may be in the way. */
export function sweepFolders(parent: string): void {
  for (const name of list(parent)) {
    const owner = ownerOf(name)
    if (owner === null || owner.pidNamespace !== pidNamespace() || lives(owner)) continue
    try {
      rmSync(join(parent, name), { recursive: true, force: true })
    } catch {
      // Another user's, or another sweep is at it.
    }
  }
}

function lives(owner: Owner): boolean {
  const startTime = startTimeOf(owner.pid)
  if (startTime !== undefined) return startTime === owner.startTime
  if (process.platform === 'linux') return false
  try {
    process.kill(owner.pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Field 22 of /proc/<pid>/stat (proc(5)); undefined: no such process, or only its zombie, or no /proc. */
function startTimeOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the command in parentheses, which may itself hold blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[19])
  } catch {
    return undefined
  }
}

function pidNamespace(): number {
  try {
    return Number(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0)
  } catch {
    return 0
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
