// Added latency at 5,000 requests a second: balancers in turn, slice by slice, and the difference with its interval.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GauntletError } from '../../contracts/errors.ts'
import { Random } from '../../test/fuzz/random.ts'
import { loadCore, type Peer } from './peers.ts'
import { median } from './proc.ts'

/** Latencies of one balancer in µs, slice by slice. */
export type Slices = readonly (readonly number[])[]

/** Of a slice: so short that the stalls which a shared machine has many times a second miss most slices. */
const sliceMs = 50
const connections = 64
/** For the interval. */
const resamples = 2_000

/** @throws GauntletError ERR_ENVIRONMENT where requests failed */
export async function measureLatency(
  peers: readonly Peer[],
  rps: number,
  cycles: number,
): Promise<ReadonlyMap<string, Slices>> {
  const load = join(import.meta.dirname, 'latency-load.ts')
  const numbers = [rps, cycles, sliceMs, connections, ...peers.map(({ port }) => port)]
  const args = ['-c', String(loadCore), process.execPath, load, ...numbers.map(String)]
  const { stdout } = await promisify(execFile)('taskset', args, { maxBuffer: 256 * 1_048_576 })
  const { failures, slices } = JSON.parse(stdout) as { readonly failures: number; readonly slices: Slices[] }
  if (failures > 0) {
    throw new GauntletError('ERR_ENVIRONMENT', `${failures} requests failed`, { field: 'latency' })
  }
  return new Map(peers.map(({ name }, index) => [name, slices[index]!]))
}

/** The percentile of all slices together, ms. */
export function percentileMs(slices: Slices, percent: number): number {
  const all = Float64Array.from(slices.flat()).sort()
  return (all[Math.min(all.length - 1, Math.ceil((all.length * percent) / 100) - 1)] ?? Number.NaN) / 1_000
}

export interface Difference {
  readonly ms: number
  /** 95 % interval, by bootstrap over cycles. */
  readonly lowMs: number
  readonly highMs: number
}

/**
 * By how much the 99th percentile of a slice of `ours` is above that of `theirs` in the same cycle: the median over
 * all cycles, which a stall of the machine in some of them does not move.
 */
export function difference(ours: Slices, theirs: Slices, seed = 1): Difference {
  const random = new Random(seed)
  const pairs = ours.map((slice, cycle) => percentileMs([slice], 99) - percentileMs([theirs[cycle]!], 99))
  const drawn = Array.from({ length: resamples }, () => median(pairs.map(() => random.of(pairs)))).sort(
    (a, b) => a - b,
  )
  const at = (share: number): number => drawn[Math.floor(share * (resamples - 1))]!
  return { ms: median(pairs), lowMs: at(0.025), highMs: at(0.975) }
}
