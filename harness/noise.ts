// Measures who else used the machine: CPU time of processes that are not ours, and time the hypervisor took.
//
// A window in which the machine was taken away says nothing about the system under test. Costs under 0.5 % of a
// core: four samples a second, each one listing of /proc and one small read for each process of ours.

import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { monotonicUs } from './clock.ts'

/** One second of the machine; shares of all its cores together, 0 to 1. */
export interface NoiseSecond {
  /** From `fromUs` of the request. */
  readonly second: number
  /** Taken by the hypervisor. */
  readonly stealShare: number
  /** Used by processes outside the harness's tree. */
  readonly othersShare: number
  /** Used by the harness and whatever it started. */
  readonly ownShare: number
}

export interface NoiseMeter extends Disposable {
  /** Why there is no measurement; null where there is one. */
  readonly unavailable: string | null
  /**
   * One entry for each whole second from `fromUs` to `untilUs` (µs of CLOCK_MONOTONIC; default now), null where a second was
   * not sampled; null as a whole where noise cannot be measured.
   */
  seconds(fromUs: number, untilUs?: number): readonly (NoiseSecond | null)[] | null
}

export interface NoiseOptions {
  /** Root of the tree of our own processes; default this one. */
  readonly rootPid?: number
  /** Processes of such control groups are ours too, whoever started them: pods on this machine. Default none. */
  readonly cgroups?: RegExp
  /** Where the kernel's files are; default `/proc`. */
  readonly procfs?: string
  /** Default 250. */
  readonly intervalMs?: number
  /** Default the number of cores here. */
  readonly cores?: number
  /** µs; default CLOCK_MONOTONIC. */
  readonly now?: () => number
}

/** CPU time used between two samples, in ticks of 1/100 s. */
interface Sample {
  readonly fromUs: number
  readonly untilUs: number
  readonly steal: number
  readonly others: number
  readonly own: number
}

/** Linux reports CPU time in 1/100 s to every program (USER_HZ), whatever its own tick is. */
const ticksPerSecond = 100
/** A day's. */
const keptSamples = 4 * 3600 * 24

/** Starts to measure; on other platforms than Linux says that it cannot. */
export function createNoiseMeter(options: NoiseOptions = {}): NoiseMeter {
  const procfs = options.procfs ?? '/proc'
  const now = options.now ?? monotonicUs
  const cores = options.cores ?? cpus().length
  const tree = createProcessTree(procfs, options.rootPid ?? process.pid, options.cgroups)
  let previous: Reading
  try {
    previous = read(procfs, tree, now())
  } catch (error) {
    const unavailable = `${procfs}/stat cannot be read (${error instanceof Error ? error.message : error})`
    return { unavailable, seconds: () => null, [Symbol.dispose]() {} }
  }
  const samples: Sample[] = []
  const sample = (): void => {
    const current = read(procfs, tree, now())
    samples.push(difference(previous, current))
    if (samples.length > keptSamples) samples.shift()
    previous = current
  }
  const timer = setInterval(sample, options.intervalMs ?? 250).unref()
  return {
    unavailable: null,
    seconds(fromUs, untilUs = now()) {
      if (untilUs > previous.at && now() > previous.at) sample()
      return bySecond(samples, fromUs, untilUs, cores)
    },
    [Symbol.dispose]() {
      clearInterval(timer)
    },
  }
}

/** The seconds of a stretch, and of the two seconds before its end where it is shorter; null where not measured. */
export function stretchSeconds(
  noise: NoiseMeter,
  fromUs: number,
  untilUs: number,
): readonly (NoiseSecond | null)[] | null {
  return noise.seconds(Math.min(fromUs, untilUs - 2_000_000), untilUs)
}

/** Mean share of the machine that others had over a stretch (see stretchSeconds); null where it was not measured. */
export function othersShare(noise: NoiseMeter, fromUs: number, untilUs: number): number | null {
  const whole = stretchSeconds(noise, fromUs, untilUs) ?? []
  const seconds = whole.filter((second) => second !== null)
  if (seconds.length === 0) return null
  return seconds.reduce((sum, second) => sum + second.stealShare + second.othersShare, 0) / seconds.length
}

/** Splits samples into seconds; a sample over two seconds counts in both, by time. */
export function bySecond(
  samples: readonly Sample[],
  fromUs: number,
  untilUs: number,
  cores: number,
): readonly (NoiseSecond | null)[] {
  const count = Math.max(0, Math.floor((untilUs - fromUs) / 1e6))
  const sums = Array.from({ length: count }, () => ({ coveredUs: 0, steal: 0, others: 0, own: 0 }))
  for (const sample of samples) {
    const lengthUs = sample.untilUs - sample.fromUs
    const first = Math.max(0, Math.floor((sample.fromUs - fromUs) / 1e6))
    const last = Math.min(count - 1, Math.floor((sample.untilUs - fromUs) / 1e6))
    for (let second = first; second <= last; second++) {
      const start = fromUs + second * 1e6
      const overlapUs = Math.min(sample.untilUs, start + 1e6) - Math.max(sample.fromUs, start)
      if (overlapUs <= 0) continue
      const sum = sums[second]!
      const share = overlapUs / lengthUs
      sum.coveredUs += overlapUs
      sum.steal += sample.steal * share
      sum.others += sample.others * share
      sum.own += sample.own * share
    }
  }
  return sums.map(({ coveredUs, steal, others, own }, second) => {
    // A second that is half unseen could hide anything in the other half.
    if (coveredUs < 500_000) return null
    const capacity = (ticksPerSecond * cores * coveredUs) / 1e6
    return {
      second,
      stealShare: steal / capacity,
      othersShare: others / capacity,
      ownShare: own / capacity,
    }
  })
}

/** Counters since boot, in ticks. */
interface Reading {
  readonly at: number
  readonly steal: number
  readonly busy: number
  readonly own: number
}

function read(procfs: string, tree: ProcessTree, at: number): Reading {
  // user nice system idle iowait irq softirq steal; guest time is in user already.
  const [, user, nice, system, , , irq, softirq, steal] = readFileSync(`${procfs}/stat`, 'latin1')
    .slice(0, 200)
    .split('\n')[0]!
    .split(/ +/)
    .map(Number)
  const own = tree.ticks()
  const busy = user! + nice! + system! + irq! + softirq!
  if (!Number.isFinite(busy + steal!)) throw new Error('its first line is no list of counters')
  return { at, steal: steal!, busy, own }
}

function difference(before: Reading, after: Reading): Sample {
  const busy = Math.max(0, after.busy - before.busy)
  // The kernel counts the whole machine by ticks and each process exactly, so the two may differ a little.
  const own = Math.min(busy, Math.max(0, after.own - before.own))
  return {
    fromUs: before.at,
    untilUs: after.at,
    steal: Math.max(0, after.steal - before.steal),
    others: busy - own,
    own,
  }
}

interface ProcessTree {
  /** CPU time of the root and its descendants, those that ended included. */
  ticks(): number
}

/**
 * Follows a tree of processes. A descendant is known by its parent when it is first seen, and stays one when that
 * parent ends. The time of a process that ended is in its parent's count of waited-for children, so nothing is lost.
 */
function createProcessTree(procfs: string, rootPid: number, cgroups: RegExp | undefined): ProcessTree {
  const root = String(rootPid)
  const ours = new Set([root])
  const strangers = new Set<string>()
  return {
    ticks() {
      const present = new Set(readdirSync(procfs).filter((name) => name.charCodeAt(0) <= 57))
      for (const set of [ours, strangers]) {
        for (const pid of set) if (!present.has(pid)) set.delete(pid)
      }
      let newcomers = [...present].filter((pid) => !ours.has(pid) && !strangers.has(pid))
      const stats = new Map<string, ProcessStat | null>()
      const stat = (pid: string): ProcessStat | null => {
        if (!stats.has(pid)) stats.set(pid, readStat(procfs, pid))
        return stats.get(pid) ?? null
      }
      // A newcomer's parent may be a newcomer too: until nobody joins any more.
      for (let joined = -1; joined !== ours.size; ) {
        joined = ours.size
        newcomers = newcomers.filter((pid) => {
          const parent = stat(pid)?.parent
          if (!(parent !== undefined && ours.has(parent)) && !isIn(cgroups, procfs, pid)) return true
          ours.add(pid)
          return false
        })
      }
      for (const pid of newcomers) strangers.add(pid)
      let sum = 0
      for (const pid of ours) sum += stat(pid)?.ticks ?? 0
      return sum
    },
  }
}

function isIn(cgroups: RegExp | undefined, procfs: string, pid: string): boolean {
  if (cgroups === undefined) return false
  try {
    return cgroups.test(readFileSync(`${procfs}/${pid}/cgroup`, 'latin1'))
  } catch {
    return false
  }
}

interface ProcessStat {
  readonly parent: string
  readonly ticks: number
}

/** Reads /proc/<pid>/stat; null when the process is gone. */
function readStat(procfs: string, pid: string): ProcessStat | null {
  let text: string
  try {
    text = readFileSync(`${procfs}/${pid}/stat`, 'latin1')
  } catch {
    return null
  }
  // The name stands in parentheses and may hold anything; after it: state, parent, … utime stime cutime cstime.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])
  return { parent: fields[1] ?? '', ticks }
}
