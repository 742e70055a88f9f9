// A number of runs as fast as they go, with a limit of open ones.

import type { Profile } from '../../../contracts/load.ts'
import { numberProblem, type Shape } from './pace.ts'

export const burst: Shape<Extract<Profile, { kind: 'burst' }>> = {
  problems: ({ count, concurrency }) => [
    ...numberProblem('count', count, { least: 1, most: 10_000_000, whole: true }),
    ...numberProblem('concurrency', concurrency, { least: 1, most: 10_000, whole: true }),
  ],
  pace: ({ count, concurrency }) => ({
    model: 'closed',
    limit: concurrency,
    count,
    durationUs: Number.POSITIVE_INFINITY,
    rampUs: 0,
  }),
}
