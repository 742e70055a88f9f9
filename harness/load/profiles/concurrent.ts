// Closed model: so many users, each starting its next run when its last one has ended.

import type { Profile } from '../../../contracts/load.ts'
import { longestDurationMs, numberProblem, type Shape } from './pace.ts'

/** Users that start at once and run alike would go on in step, all open at one moment and none at the next. */
const longestRampMs = 1_000

export const concurrent: Shape<Extract<Profile, { kind: 'concurrent' }>> = {
  problems: ({ users, durationMs }) => [
    ...numberProblem('users', users, { least: 1, most: 10_000, whole: true }),
    ...numberProblem('durationMs', durationMs, { least: 1, most: longestDurationMs }),
  ],
  pace: ({ users, durationMs }) => ({
    model: 'closed',
    limit: users,
    count: Number.POSITIVE_INFINITY,
    durationUs: durationMs * 1000,
    rampUs: Math.min(longestRampMs, durationMs / 10) * 1000,
  }),
}
