// The load shapes by name: one file and one line each.

import type { Profile } from '../../../contracts/load.ts'
import { burst } from './burst.ts'
import { concurrent } from './concurrent.ts'
import { constant } from './constant.ts'
import { numberProblem, type Pace, type ProfileProblem, type Shape } from './pace.ts'
import { steps } from './steps.ts'

export { numberProblem }

type Shapes = { readonly [K in Profile['kind']]: Shape<Extract<Profile, { kind: K }>> }

export const profiles: Shapes = { constant, steps, concurrent, burst }

/** Everything wrong with a profile; empty when it can be offered. */
export function profileProblems(profile: Profile): readonly ProfileProblem[] {
  const shape = Object.hasOwn(profiles, profile.kind) ? shapeOf(profile) : undefined
  if (shape !== undefined) return shape.problems(profile)
  return [{ field: 'kind', value: profile.kind, fix: `use one of ${Object.keys(profiles).join(', ')}` }]
}

/** A fresh pace of a profile without problems. */
export function paceOf(profile: Profile): Pace {
  return shapeOf(profile).pace(profile)
}

function shapeOf(profile: Profile): Shape<Profile> {
  return profiles[profile.kind] as unknown as Shape<Profile>
}
