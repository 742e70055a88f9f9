// The program's processes, as /proc shows them: those of its container, told from others by their mount namespace.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Where the kernel's files are; `/proc` but in tests. */
export interface Procfs {
  readonly folder: string
  readonly ownPid: number
}

/**
 * Processes of the container that `startedPid` belongs to; where that is gone or unknown, those of every container
 * but the agent's own. The pod's first process holds its namespaces and is another user's: it is never among them.
 */
export function programProcesses(procfs: Procfs, startedPid: number | null): readonly number[] {
  const own = namespaceOf(procfs, procfs.ownPid)
  const wanted = startedPid === null ? null : namespaceOf(procfs, startedPid)
  return readdirSync(procfs.folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      if (pid === 1) return false
      const namespace = namespaceOf(procfs, pid)
      return namespace !== null && namespace !== own && (wanted === null || namespace === wanted)
    })
}

/** Letter of the process's state as proc(5) has it; null when it is gone or waits for its parent to notice. */
export function stateOf(procfs: Procfs, pid: number): string | null {
  try {
    const text = readFileSync(join(procfs.folder, String(pid), 'stat'), 'latin1')
    const state = text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3)
    return state === 'Z' || state === 'X' ? null : state
  } catch {
    return null
  }
}

/** Null: the process is gone, or another user's. */
function namespaceOf(procfs: Procfs, pid: number): string | null {
  try {
    return readlinkSync(join(procfs.folder, String(pid), 'ns/mnt'))
  } catch {
    return null
  }
}
