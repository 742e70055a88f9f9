// Open model whose rate changes in steps.

import type { Profile } from '../../../contracts/load.ts'
import { highestRateRps, longestDurationMs, numberProblem, type OpenPace, type Shape } from './pace.ts'

type Steps = Extract<Profile, { kind: 'steps' }>
type Step = Steps['steps'][number]

export const steps: Shape<Steps> = {
  problems: ({ steps }) =>
    Array.isArray(steps) && steps.length > 0
      ? steps.flatMap((step, i) => [
          ...numberProblem(`steps[${i}].rateRps`, step?.rateRps, { least: 0, most: highestRateRps }),
          ...numberProblem(`steps[${i}].durationMs`, step?.durationMs, { least: 1, most: longestDurationMs }),
        ])
      : [{ field: 'steps', value: steps, fix: 'list one step or more' }],
  pace: ({ steps }) => stepsPace(steps),
}

/** Arrival i of a step is planned i/rate after the step's start, so no arrival falls on two steps. */
export function stepsPace(steps: readonly Step[]): OpenPace {
  let stepIndex = 0
  let stepStartUs = 0
  let i = 0
  return {
    model: 'open',
    planned: steps.reduce((sum, step) => sum + arrivalsOf(step), 0),
    durationUs: steps.reduce((sum, step) => sum + step.durationMs * 1000, 0),
    next() {
      for (let step = steps[stepIndex]; step !== undefined; step = steps[stepIndex]) {
        if (i < arrivalsOf(step)) return stepStartUs + (i++ * 1e6) / step.rateRps
        stepStartUs += step.durationMs * 1000
        stepIndex++
        i = 0
      }
      return null
    },
  }
}

/** Arrivals at 0, 1/rate, 2/rate … before the step's end; the epsilon absorbs a product like 2.9999999996. */
function arrivalsOf({ rateRps, durationMs }: Step): number {
  return Math.ceil((rateRps * durationMs) / 1000 - 1e-6)
}
