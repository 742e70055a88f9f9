// Why a target that was missed may say nothing about the system: what the machine did meanwhile.

import type { NamedTarget } from '../../contracts/targets.ts'
import type { NoiseSecond } from '../noise.ts'

/** Share of the machine above which others' work excuses a missed target; cores of all together are 1. */
const mostTakenShare = 0.2
/**
 * Share of the machine at work above which a latency is its queue's: load and system share the cores, and at 90 % of
 * two of them a request waits longer for a core than it works (M/M/2: 4.3 times its service, of which it works 1).
 */
const fullShare = 0.9

/**
 * @param seconds of the stretch in which the figure was taken; null where noise was not measured
 * @returns the reason for which the miss is unknown, not a failure; null where nothing excuses it
 */
export function excuseFor(
  { unit, comparison }: Pick<NamedTarget, 'unit' | 'comparison'>,
  seconds: readonly (NoiseSecond | null)[] | null,
): string | null {
  const seen = (seconds ?? []).filter((second) => second !== null)
  if (seen.length === 0) return null
  const mean = (share: (second: NoiseSecond) => number): number =>
    seen.reduce((sum, second) => sum + share(second), 0) / seen.length
  const taken = mean(({ stealShare, othersShare }) => stealShare + othersShare)
  if (taken > mostTakenShare) return `other processes took ${percent(taken)} of the machine meanwhile`
  const busy = taken + mean(({ ownShare }) => ownShare)
  if (unit === 'ms' && comparison === 'at most' && busy > fullShare)
    return `the machine, which load and system share, was ${percent(busy)} busy meanwhile, so that they waited for it`
  return null
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}
