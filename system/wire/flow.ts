// The flow document: JSON to a Flow, and a Flow to the normal form that its id is the hash of.

import { hash } from 'node:crypto'
import { type Expression, nullExpression, parseExpression, writeExpression } from './flow-expression.ts'
import { flowSchema, stepSchema } from './flow-schema.ts'
import { arrayOf, elements, type Json, jsonNull, member, members, objectOf, quote, unquote } from './json.ts'
import { checkShape, type Place } from './json-shape.ts'

export type OnError =
  | { readonly action: 'fail' }
  | { readonly action: 'useDefault'; readonly defaultValue: Json }
  | { readonly action: 'retry'; readonly maxAttempts: number }

export interface FlowStep {
  readonly id: string
  readonly component: string
  readonly onError: OnError
  readonly input: Expression
  readonly mustExecute: boolean
  /** The condition of older lines, which is not in the normal form and has no effect; null without one. */
  readonly skipIf: Json | null
  /** The step in normal form: what overrides patch and listings show. */
  readonly json: Json
}

export interface Flow {
  readonly name: string | null
  readonly description: string | null
  readonly version: string | null
  /** `{"type":"object","$defs"?,"properties"?}`; null where the flow has none. */
  readonly schemas: Json | null
  readonly steps: readonly FlowStep[]
  readonly output: Expression
  /** Examples, then test cases whose name none of them has: `[{name,description?,input}]`. */
  readonly allExamples: readonly Json[]
  /** The whole document in normal form. */
  readonly json: Json
  /** Lower-case hex SHA-256 of `json`. */
  readonly id: string
}

/** Lower-case hex SHA-256 of canonical JSON text: the id of a blob and of a flow. */
export function blobIdOf(json: Json): string {
  return hash('sha256', json, 'hex')
}

/**
 * Reads a flow document; unknown fields are ignored, as Stepflow does.
 * @param place where the document stands in what surrounds it, for errors: `['flow']`
 * @throws ShapeError
 */
export function parseFlow(json: Json, place: Place = []): Flow {
  checkShape(flowSchema, json, place)
  const fields = new Map(members(json))
  const steps = elements(fields.get('steps') ?? jsonNull).map(readStep)
  const output = readExpression(fields.get('output'))
  const name = readText(fields.get('name'))
  const description = readText(fields.get('description'))
  const version = readText(fields.get('version'))
  const schemas = readSchemas(fields.get('schemas'))
  const examples = notNull(fields.get('examples'))
  const test = notNull(fields.get('test'))
  const examplesText = examples === null ? undefined : arrayOf(elements(examples).map(writeExample))
  const text = objectOf([
    ['name', name === null ? undefined : quote(name)],
    ['description', description === null ? undefined : quote(description)],
    ['version', version === null ? undefined : quote(version)],
    ['schemas', schemas ?? undefined],
    ['steps', steps.length === 0 ? undefined : arrayOf(steps.map((step) => step.json))],
    ['output', isNull(output) ? undefined : writeExpression(output)],
    ['test', test === null ? undefined : writeTest(test)],
    ['examples', examplesText],
    ['metadata', notEmpty(fields.get('metadata'))],
  ])
  return {
    ...{ name, description, version, schemas, steps, output },
    allExamples: allExamples(examples, test),
    json: text,
    id: blobIdOf(text),
  }
}

/** Reads one step. @throws ShapeError */
export function parseStep(json: Json, place: Place): FlowStep {
  checkShape(stepSchema, json, place)
  return readStep(json)
}

function readStep(json: Json): FlowStep {
  const fields = new Map(members(json))
  const id = unquote(fields.get('id') as Json)
  const component = unquote(fields.get('component') as Json)
  const { onError, text: onErrorText } = readOnError(fields.get('onError'))
  const input = readExpression(fields.get('input'))
  const must = notNull(fields.get('mustExecute'))
  const text = objectOf([
    ['id', quote(id)],
    ['component', quote(component)],
    ['onError', onErrorText],
    ['input', isNull(input) ? undefined : writeExpression(input)],
    ['mustExecute', must ?? undefined],
    ['metadata', notEmpty(fields.get('metadata'))],
  ])
  const skipIf = notNull(fields.get('skipIf'))
  return { id, component, onError, input, mustExecute: must === 'true', skipIf, json: text }
}

/** The shape has been checked, so the place is of no use. */
function readExpression(json: Json | undefined): Expression {
  return json === undefined ? nullExpression : parseExpression(json, [])
}

function readOnError(json: Json | undefined): { onError: OnError; text: Json | undefined } {
  if (json === undefined || json === 'null') return { onError: { action: 'fail' }, text: undefined }
  const fields = new Map(members(json))
  const action = unquote(fields.get('action') as Json)
  if (action === 'useDefault') {
    const value = fields.get('defaultValue')
    return {
      onError: { action, defaultValue: value ?? jsonNull },
      text: objectOf([
        ['action', quote(action)],
        ['defaultValue', notNull(value) ?? undefined],
      ]),
    }
  }
  return {
    onError: action === 'retry' ? { action, maxAttempts: retryAttempts } : { action: 'fail' },
    text: objectOf([['action', quote(action)]]),
  }
}

/** Attempts of a step with `onError: retry`: the format has no place for another number. */
const retryAttempts = 3

/** Their shape has been checked. */
function readSchemas(json: Json | undefined): Json | null {
  if (json === undefined || json === 'null') return null
  const fields = new Map(members(json))
  const parts = new Map(members(fields.get('properties') ?? jsonNull))
  const steps = member(parts.get('steps') ?? jsonNull, 'properties')
  const properties = objectOf([
    ...['input', 'output', 'variables'].map((name): [string, Json | undefined] => [name, parts.get(name)]),
    ['steps', steps === undefined || members(steps).length === 0 ? undefined : stepSchemas(steps)],
  ])
  const defs = notNull(fields.get('$defs')) ?? undefined
  if ((defs === undefined || defs === '{}') && properties === '{}') return null
  return objectOf([
    ['type', quote('object')],
    ['$defs', defs === '{}' ? undefined : defs],
    ['properties', properties === '{}' ? undefined : properties],
  ])
}

/** The schemas of steps are kept, not what else stands around them. */
function stepSchemas(schemas: Json): Json {
  return objectOf([
    ['type', quote('object')],
    ['properties', schemas],
  ])
}

function writeTest(json: Json): Json {
  const fields = new Map(members(json))
  return objectOf([
    ['configFile', notNull(fields.get('configFile')) ?? undefined],
    ['config', notNull(fields.get('config') ?? fields.get('stepflow_config')) ?? undefined],
    ['cases', nonEmptyList(elements(fields.get('cases') ?? jsonNull).map(writeCase))],
  ])
}

function nonEmptyList(list: readonly Json[]): Json | undefined {
  return list.length === 0 ? undefined : arrayOf(list)
}

function writeExample(json: Json): Json {
  const fields = new Map(members(json))
  return objectOf([
    ['name', fields.get('name')],
    ['description', notNull(fields.get('description')) ?? undefined],
    ['input', fields.get('input')],
  ])
}

function writeCase(json: Json): Json {
  const fields = new Map(members(json))
  const output = notNull(fields.get('output'))
  return objectOf([
    ...members(writeExample(json)),
    ['output', output === null ? undefined : writeResult(output)],
  ])
}

/** A flow's result in normal form: the fields that its outcome has. */
function writeResult(json: Json): Json {
  const outcome = member(json, 'outcome')
  const error = outcome === '"failed"' ? member(json, 'error') : undefined
  if (error === undefined)
    return objectOf([
      ['outcome', outcome],
      ['result', member(json, 'result')],
    ])
  const data = notNull(member(error, 'data')) ?? undefined
  const written = objectOf([
    ['code', member(error, 'code')],
    ['message', member(error, 'message')],
    ['data', data],
  ])
  return objectOf([
    ['outcome', outcome],
    ['error', written],
  ])
}

function allExamples(examples: Json | null, test: Json | null): Json[] {
  const list = elements(examples ?? jsonNull).map(writeExample)
  const names = new Set(list.map((example) => members(example)[0]?.[1]))
  const cases = test === null ? [] : elements(new Map(members(test)).get('cases') ?? jsonNull)
  for (const each of cases.map(writeExample)) if (!names.has(members(each)[0]?.[1])) list.push(each)
  return list
}

function readText(json: Json | undefined): string | null {
  return json === undefined || json === 'null' ? null : unquote(json)
}

function notNull(json: Json | undefined): Json | null {
  return json === undefined || json === 'null' ? null : json
}

function notEmpty(json: Json | undefined): Json | undefined {
  return json === '{}' ? undefined : json
}

function isNull(expression: Expression): boolean {
  return expression.kind === 'constant' && expression.value === 'null'
}
