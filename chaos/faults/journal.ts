// The journal of what faults leave on this machine: written ahead, and healed by the next start if this one dies.

import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { removeCgroup } from './cgroup.ts'
import { unmount } from './disk-full.ts'
import type { Leftover } from './fault.ts'

/** One file for each process that injects faults, named by who it is. */
const filePattern = /^(\d+)-(\d+)\.ndjson$/

interface Entry {
  readonly leftover: Leftover
  /** Of a process: when it started, so that a later one with its id is left alone. */
  readonly startTime: number | null
}

export interface Journal {
  /** Notes something before it comes to be. */
  note(leftover: Leftover): void
  /** Everything noted is gone. */
  close(): void
}

/** @param folder the same for every process of this user; made when needed */
export function openJournal(folder: string, pid = process.pid): Journal {
  const file = join(folder, `${pid}-${startTimeOf(pid) ?? 0}.ndjson`)
  return {
    note(leftover) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const startTime = leftover.kind === 'process' ? startTimeOf(leftover.pid) : null
      const entry: Entry = { leftover, startTime }
      appendFileSync(file, `${JSON.stringify(entry)}\n`, { mode: 0o600 })
    },
    close() {
      rmSync(file, { force: true })
    },
  }
}

/**
 * Undoes what processes that are gone have left. Never throws: what cannot be undone stays in the journal and is
 * told.
 * @returns one line for each thing healed, or that could not be
 */
export async function healLeftovers(folder: string): Promise<readonly string[]> {
  const told: string[] = []
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const owner = filePattern.exec(name)
    if (owner === null) continue
    const startTime = startTimeOf(Number(owner[1]))
    if (startTime !== null && startTime === Number(owner[2])) continue
    const file = join(folder, name)
    let failed = false
    for (const entry of entriesOf(readFileSync(file, 'utf8'))) {
      try {
        if (await heal(entry)) told.push(`healed ${describe(entry.leftover)}`)
      } catch (error) {
        failed = true
        told.push(`cannot heal ${describe(entry.leftover)}: ${String(error)}`)
      }
    }
    if (!failed) rmSync(file, { force: true })
  }
  return told
}

/** A line that was cut short by the death of its writer is no entry, and nothing had been done then. */
function entriesOf(text: string): readonly Entry[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as Entry]
    } catch {
      return []
    }
  })
}

/** False: there was nothing left. */
async function heal({ leftover, startTime }: Entry): Promise<boolean> {
  switch (leftover.kind) {
    case 'process':
      if (startTime === null || startTimeOf(leftover.pid) !== startTime) return false
      process.kill(leftover.pid, 'SIGKILL')
      return true
    case 'cgroup': {
      if (!existsSync(leftover.path)) return false
      removeCgroup(leftover.path)
      return true
    }
    case 'mount': {
      if (!isMounted(leftover.path)) return false
      await unmount(leftover.path)
      return true
    }
  }
}

function isMounted(path: string): boolean {
  try {
    return readFileSync('/proc/self/mounts', 'utf8').includes(` ${path} `)
  } catch {
    return false
  }
}

function describe(leftover: Leftover): string {
  return leftover.kind === 'process' ? `process ${leftover.pid}` : `${leftover.kind} ${leftover.path}`
}

/** Field 22 of /proc/<pid>/stat (proc(5)); null: no such process, or no /proc. */
function startTimeOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : Number(fields[19])
  } catch {
    return null
  }
}
