// Open model at one rate: an arrival each 1/rateRps s.

import type { Profile } from '../../../contracts/load.ts'
import { highestRateRps, longestDurationMs, numberProblem, type Shape } from './pace.ts'
import { stepsPace } from './steps.ts'

export const constant: Shape<Extract<Profile, { kind: 'constant' }>> = {
  problems: ({ rateRps, durationMs }) => [
    ...numberProblem('rateRps', rateRps, { least: 0.001, most: highestRateRps }),
    ...numberProblem('durationMs', durationMs, { least: 1, most: longestDurationMs }),
  ],
  pace: (profile) => stepsPace([profile]),
}
