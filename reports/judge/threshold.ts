// A measured figure against its target: pass, fail, or unknown with the reason.

import type { EarlierFigure, ThresholdResult } from '../../contracts/results.ts'
import type { NamedTarget } from '../../contracts/targets.ts'
import { formatAgainst, formatQuantity, plural } from '../words.ts'

/** Confidence with which a percentile is held to lie where it was measured. */
const confidence = 0.99

/**
 * The fewest samples that a percentile needs: with n samples, all within a bound, the percentile q lies
 * within it with confidence 1 - q^n. For 99 %: p50 7, p90 44, p95 90, p99 459, p99.9 4,603.
 * @returns 1 for a statistic that names no percentile
 */
export function samplesNeeded(statistic: string): number {
  const needed = [...statistic.matchAll(/\bp(\d{1,2}(?:\.\d{1,3})?)\b/gi)].map(([, text]) => {
    const share = Number(text) / 100
    return share <= 0 ? 1 : Math.ceil(Math.log(1 - confidence) / Math.log(share))
  })
  return Math.max(1, ...needed)
}

/**
 * Judges a measured figure.
 * @param measured the figure in the target's unit, or why there is none: `{ unknown: 'no pod was ready' }`
 * @param samples how many values the figure comes from; too few for the target's percentile make it
 *   unknown. Absent: not counted, so not looked at
 * @example judgeThreshold(targetNamed(targets, 'callback-p95'), 3.2, 1_204)
 */
export function judgeThreshold(
  target: NamedTarget,
  measured: number | { readonly unknown: string },
  samples?: number,
): ThresholdResult {
  const figure = typeof measured === 'number' && Number.isFinite(measured) ? measured : null
  const unknown =
    typeof measured === 'object'
      ? measured.unknown
      : figure === null
        ? `the measured figure is ${measured}`
        : shortOfSamples(target.statistic, samples)
  const missed = target.ifMissed === 'INVALID' ? 'unknown' : 'fail'
  const outcome = unknown !== null || figure === null ? 'unknown' : meets(target, figure) ? 'pass' : missed
  const wanted = `${target.comparison} ${formatQuantity(target.target, target.unit)}`
  const reason =
    unknown !== null || figure === null
      ? `${unknown}; wanted is ${target.statistic} ${wanted}`
      : `${target.statistic} is ${formatAgainst(figure, target.target, target.unit)}, wanted is ${wanted}` +
        (samples === undefined ? '' : ` (${plural(samples, 'sample')})`)
  return {
    ...described(target),
    outcome,
    reason,
    measured: figure,
    ...(samples === undefined ? {} : { samples }),
  }
}

/** The entry of a target that nothing in this suite measures: shown, not judged. */
export function notMeasured(target: NamedTarget, earlier?: EarlierFigure): ThresholdResult {
  const by = target.scenario.startsWith('bench:') ? `npm run ${target.scenario}` : target.scenario
  const reason =
    earlier === undefined
      ? `measured by ${by}, which is not part of this suite`
      : `measured before this suite, by ${by} on ${earlier.at.slice(0, 10)}, commit ${earlier.commit ?? 'unknown'}`
  return {
    ...described(target),
    outcome: 'not measured',
    reason,
    measured: null,
    ...(earlier === undefined ? {} : { earlier }),
  }
}

/** Whether a figure reaches the target. */
export function meets(target: Pick<NamedTarget, 'comparison' | 'target'>, figure: number): boolean {
  return target.comparison === 'at most' ? figure <= target.target : figure >= target.target
}

function shortOfSamples(statistic: string, samples: number | undefined): string | null {
  const needed = samplesNeeded(statistic)
  if (samples === undefined || samples >= needed) return null
  return samples === 0
    ? 'there is no sample'
    : `${plural(samples, 'sample')} cannot tell ${statistic} with ${confidence * 100} % confidence, which takes ${needed}`
}

function described(target: NamedTarget): Omit<ThresholdResult, 'outcome' | 'reason' | 'measured'> {
  return {
    kind: 'threshold',
    name: target.name,
    claim: target.claim,
    statistic: target.statistic,
    window: target.window,
    unit: target.unit,
    comparison: target.comparison,
    target: target.target,
    measuredBy: target.scenario,
    ...(target.ifMissed === undefined ? {} : { ifMissed: target.ifMissed }),
  }
}
