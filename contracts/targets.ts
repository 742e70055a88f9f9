// The targets file: every figure the system must reach, with its statistic, window and scenario.

import { type Static, Type } from '@sinclair/typebox'

export const TargetSchema = Type.Object(
  {
    claim: Type.String({ minLength: 1, description: 'What must hold, in one sentence' }),
    scenario: Type.String({ minLength: 1, description: 'Scenario or benchmark that measures it' }),
    statistic: Type.String({ minLength: 1, description: 'e.g. p95, minimum per window, difference of p50' }),
    window: Type.String({ minLength: 1, description: 'Stretch of the trial it is taken over' }),
    unit: Type.Union([
      Type.Literal('req/s'),
      Type.Literal('ms'),
      Type.Literal('s'),
      Type.Literal('runs'),
      Type.Literal('ratio'),
      Type.Literal('streams'),
    ]),
    comparison: Type.Union([Type.Literal('at most'), Type.Literal('at least')]),
    target: Type.Number({ minimum: 0 }),
    ifMissed: Type.Optional(
      Type.Union([Type.Literal('FAIL'), Type.Literal('INVALID')], {
        description:
          'INVALID where missing it says that the trial proves nothing, not that the system is bad. Default FAIL',
      }),
    ),
  },
  { additionalProperties: false },
)

export type Target = Static<typeof TargetSchema>

export const TargetsSchema = Type.Record(Type.String({ pattern: '^[a-z][a-z0-9-]*$' }), TargetSchema, {
  additionalProperties: false,
})

export type Targets = Static<typeof TargetsSchema>

/** A target with its name in the file. */
export type NamedTarget = Target & { readonly name: string }
