// The schemas of the flow document: what its shape is checked against, and what the API's description shows.

import { Type } from '@sinclair/typebox'
import { parseExpression } from './flow-expression.ts'
import { elements, type Json, jsonNull, kindOf, member, unquote } from './json.ts'
import { checkedBy, checkShape, nullable, type Place, ShapeError, wrongType } from './json-shape.ts'

/** Any JSON value. */
export const anyValue = Type.Unknown({ description: 'Any JSON value' })

export const expressionSchema = checkedBy(
  Type.Unknown({
    title: 'ValueExpr',
    description:
      'A JSON value in which $step, $input, $variable, $literal, $if and $coalesce stand for values known later',
  }),
  (json, place) => void parseExpression(json, place),
)

const metadata = Type.Record(Type.String(), anyValue, { description: 'Anything; kept, never read' })

export const errorActionSchema = Type.Union(
  [
    Type.Object({ action: Type.Literal('fail') }, { title: 'ErrorActionFail' }),
    Type.Object(
      { action: Type.Literal('useDefault'), defaultValue: Type.Optional(anyValue) },
      { title: 'ErrorActionUseDefault' },
    ),
    Type.Object({ action: Type.Literal('retry') }, { title: 'ErrorActionRetry' }),
  ],
  { title: 'ErrorAction', discriminator: 'action', description: 'What happens when the component fails' },
)

export const stepSchema = Type.Object(
  {
    id: Type.String({ description: 'Unique in the flow' }),
    component: Type.String({ description: 'Path of the component, e.g. /python/double' }),
    onError: Type.Optional(nullable(errorActionSchema)),
    input: Type.Optional(expressionSchema),
    mustExecute: Type.Optional(nullable(Type.Boolean({ description: 'Run it although nothing needs it' }))),
    metadata: Type.Optional(metadata),
  },
  { title: 'Step' },
)

export const flowErrorSchema = Type.Object(
  { code: Type.Integer({ expecting: 'i64' }), message: Type.String(), data: Type.Optional(anyValue) },
  { title: 'FlowError' },
)

export const flowResultSchema = Type.Union(
  [
    Type.Object({ outcome: Type.Literal('success'), result: anyValue }, { title: 'FlowResultSuccess' }),
    Type.Object({ outcome: Type.Literal('failed'), error: flowErrorSchema }, { title: 'FlowResultFailed' }),
  ],
  { title: 'FlowResult', discriminator: 'outcome' },
)

/** Read as any value first: what is wrong is said of the whole, and of what has no outcome only that. */
const expectedOutcome = checkedBy(flowResultSchema, (json, place) => {
  if (json === 'null') return
  const outcome = member(json, 'outcome')
  const problem =
    outcome === undefined || kindOf(outcome) !== 'string'
      ? 'missing field `outcome`'
      : problemOf(() => checkShape(flowResultSchema, json, place))
  if (problem !== null) throw new ShapeError(place, problem, 'after')
})

function problemOf(check: () => void): string | null {
  try {
    check()
    return null
  } catch (error) {
    if (error instanceof ShapeError) return error.problem
    throw error
  }
}

const text = (description: string) => Type.Optional(nullable(Type.String({ description })))

export const exampleSchema = Type.Object(
  { name: Type.String(), description: text('What it shows'), input: anyValue },
  { title: 'ExampleInput' },
)

const testCaseSchema = Type.Object(
  {
    name: Type.String(),
    description: text('What it shows'),
    input: anyValue,
    output: Type.Optional(nullable(expectedOutcome)),
  },
  { title: 'TestCase' },
)

const testSchema = Type.Object(
  {
    configFile: text('Configuration for the tests'),
    config: Type.Optional(anyValue),
    cases: Type.Optional(Type.Array(testCaseSchema)),
  },
  { title: 'TestConfig' },
)

/** `properties` of a flow's schemas: JSON Schemas, of which the variables' names and defaults are read. */
export const flowSchemasSchema = Type.Object(
  {
    type: Type.Optional(Type.Literal('object')),
    $defs: Type.Optional(nullable(Type.Record(Type.String(), anyValue))),
    properties: Type.Optional(anyValue),
  },
  { title: 'FlowSchema' },
)

/** Of the schemas themselves only names and defaults are read; what else they say is free. */
function checkSchemas(json: Json, place: Place): void {
  if (json === 'null') return
  if (kindOf(json) !== 'object') throw new ShapeError(place, 'FlowSchema must be an object', 'after')
  const defs = member(json, '$defs') ?? jsonNull
  if (defs !== 'null' && kindOf(defs) !== 'object') throw wrongType(place, defs, 'a map', 'after')
}

export const flowSchema = Type.Object(
  {
    name: text('Shown in listings'),
    description: text('What the flow is for'),
    version: text('Of the flow'),
    schemas: Type.Optional(checkedBy(flowSchemasSchema, checkSchemas)),
    steps: Type.Optional(Type.Array(stepSchema)),
    output: Type.Optional(expressionSchema),
    test: Type.Optional(nullable(testSchema)),
    examples: Type.Optional(nullable(Type.Array(exampleSchema))),
    metadata: Type.Optional(metadata),
  },
  { title: 'Flow' },
)

/** The names in `required` of an object's schema; none where it is no list of them. */
export function requiredOf(schema: Json | undefined): ReadonlySet<string> {
  const list = elements(member(schema ?? jsonNull, 'required') ?? jsonNull)
  return new Set(list.filter((name) => kindOf(name) === 'string').map(unquote))
}
