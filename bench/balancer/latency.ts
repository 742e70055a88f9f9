// Added latency at 5,000 requests a second: p99 of each balancer, interleaved, and the difference with its interval.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GauntletError } from '../../contracts/errors.ts'
import { Random } from '../../test/fuzz/random.ts'
import { loadCore } from './peers.ts'
import { median } from './proc.ts'

export interface LatencyRound {
  readonly p50Us: number
  readonly p95Us: number
  readonly p99Us: number
  readonly worstLagMs: number
}

/** @throws GauntletError ERR_ENVIRONMENT where requests failed */
export async function measureLatency(
  port: number,
  name: string,
  rps: number,
  seconds: number,
): Promise<LatencyRound> {
  const load = join(import.meta.dirname, 'latency-load.ts')
  const args = [
    '-c',
    String(loadCore),
    process.execPath,
    load,
    String(port),
    String(rps),
    String(seconds),
    '64',
  ]
  const { stdout } = await promisify(execFile)('taskset', args)
  const result = JSON.parse(stdout) as Record<
    'failures' | 'unsent' | 'p50' | 'p95' | 'p99' | 'worstLagMs',
    number
  >
  if (result.failures > 0) {
    throw new GauntletError('ERR_ENVIRONMENT', `${name} had ${result.failures} failing requests`, {
      field: 'latency',
    })
  }
  return { p50Us: result.p50, p95Us: result.p95, p99Us: result.p99, worstLagMs: result.worstLagMs }
}

export interface Difference {
  readonly ms: number
  /** 95 % interval of the median difference, by bootstrap over rounds. */
  readonly lowMs: number
  readonly highMs: number
}

/** Median of the paired differences between `ours` and `theirs`, µs in, ms out. */
export function pairedDifference(ours: readonly number[], theirs: readonly number[], seed = 1): Difference {
  const pairs = ours.map((value, index) => (value - theirs[index]!) / 1_000)
  const random = new Random(seed)
  const medians = Array.from({ length: 2_000 }, () => median(pairs.map(() => random.of(pairs)))).sort(
    (a, b) => a - b,
  )
  return { ms: median(pairs), lowMs: medians[50]!, highMs: medians[1_949]! }
}
