// CPU time and memory of processes, and how busy a core is, from /proc.

import { readdirSync, readFileSync } from 'node:fs'

/** CPU time of `pids` so far, µs, from the scheduler's own nanoseconds. */
export function cpuUs(pids: readonly number[]): number {
  let nanos = 0
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      nanos += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0])
    }
  }
  return nanos / 1_000
}

/** Resident memory of `pids`, bytes, without what they share with others. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8')
    const field = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
    return sum + (field('RssAnon') + field('RssShmem')) * 1_024
  }, 0)
}

export interface CoreTimes {
  readonly busy: number
  readonly total: number
}

/** Kernel ticks of a core so far. */
export function coreTimes(core: number): CoreTimes {
  const line = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`cpu${core} `))
  const ticks = line?.split(/\s+/).slice(1, 9).map(Number) ?? []
  const total = ticks.reduce((sum, one) => sum + one, 0)
  // idle and iowait
  return { total, busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0) }
}

/** 0 to 1. */
export function busyShare(before: CoreTimes, after: CoreTimes): number {
  return after.total === before.total ? 0 : (after.busy - before.busy) / (after.total - before.total)
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
