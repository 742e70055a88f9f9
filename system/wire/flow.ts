// The flow document: JSON to a Flow, and a Flow to the normal form that its id is the hash of.

import { createHash } from 'node:crypto'
import {
  type Expression,
  nullExpression,
  parseExpression,
  ShapeError,
  writeExpression,
} from './flow-expression.ts'
import { arrayOf, elements, type Json, kindOf, members, objectOf, quote, unquote } from './json.ts'

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
  readonly test: Json | null
  readonly examples: Json | null
  /** The whole document in normal form. */
  readonly json: Json
  /** Lower-case hex SHA-256 of `json`. */
  readonly id: string
}

/** Lower-case hex SHA-256 of canonical JSON text: the id of a blob and of a flow. */
export function blobIdOf(json: Json): string {
  return createHash('sha256').update(json).digest('hex')
}

/**
 * Reads a flow document; unknown fields are ignored, as Stepflow does.
 * @param place where the document stands in what surrounds it, for errors: `flow`
 * @throws ShapeError
 */
export function parseFlow(json: Json, place = ''): Flow {
  const at = (name: string): string => (place === '' ? name : `${place}.${name}`)
  if (kindOf(json) !== 'object') throw wrongType(place, json, 'struct Flow')
  const fields = new Map(members(json))
  const steps = readSteps(fields.get('steps'), at('steps'))
  const outputJson = fields.get('output')
  const output = outputJson === undefined ? nullExpression : parseExpression(outputJson, at('output'))
  const name = readText(fields.get('name'), at('name'))
  const description = readText(fields.get('description'), at('description'))
  const version = readText(fields.get('version'), at('version'))
  const schemas = readSchemas(fields.get('schemas'), at('schemas'))
  const test = notNull(fields.get('test'))
  const examples = notNull(fields.get('examples'))
  const metadata = readMetadata(fields.get('metadata'), at('metadata'))
  const text = objectOf([
    ['name', name === null ? undefined : quote(name)],
    ['description', description === null ? undefined : quote(description)],
    ['version', version === null ? undefined : quote(version)],
    ['schemas', schemas ?? undefined],
    ['steps', steps.length === 0 ? undefined : arrayOf(steps.map((step) => step.json))],
    ['output', isNull(output) ? undefined : writeExpression(output)],
    ['test', test ?? undefined],
    ['examples', examples === '[]' ? undefined : (examples ?? undefined)],
    ['metadata', metadata],
  ])
  return {
    name,
    description,
    version,
    schemas,
    steps,
    output,
    test,
    examples,
    json: text,
    id: blobIdOf(text),
  }
}

function readSteps(json: Json | undefined, place: string): FlowStep[] {
  if (json === undefined) return []
  if (kindOf(json) !== 'array') throw wrongType(place, json, 'a sequence')
  return elements(json).map((item, index) => parseStep(item, `${place}[${index}]`))
}

/** @throws ShapeError */
export function parseStep(json: Json, place: string): FlowStep {
  if (kindOf(json) !== 'object') throw wrongType(place, json, 'struct Step')
  const fields = new Map(members(json))
  const id = needText(fields.get('id'), 'id', place)
  const component = needText(fields.get('component'), 'component', place)
  const { onError, text: onErrorText } = readOnError(fields.get('onError'), `${place}.onError`)
  const inputJson = fields.get('input')
  const input = inputJson === undefined ? nullExpression : parseExpression(inputJson, `${place}.input`)
  const must = notNull(fields.get('mustExecute'))
  if (must !== null && kindOf(must) !== 'boolean') throw wrongType(`${place}.mustExecute`, must, 'a boolean')
  const text = objectOf([
    ['id', quote(id)],
    ['component', quote(component)],
    ['onError', onErrorText],
    ['input', isNull(input) ? undefined : writeExpression(input)],
    ['mustExecute', must ?? undefined],
    ['metadata', readMetadata(fields.get('metadata'), `${place}.metadata`)],
  ])
  return { id, component, onError, input, mustExecute: must === 'true', json: text }
}

function readOnError(json: Json | undefined, place: string): { onError: OnError; text: Json | undefined } {
  if (json === undefined || json === 'null') return { onError: { action: 'fail' }, text: undefined }
  if (kindOf(json) !== 'object') throw wrongType(place, json, 'internally tagged enum ErrorAction')
  const fields = new Map(members(json))
  const action = fields.get('action')
  if (action === undefined) throw new ShapeError(place, 'missing field `action`')
  switch (action) {
    case '"fail"':
      return { onError: { action: 'fail' }, text: objectOf([['action', action]]) }
    case '"useDefault"': {
      const value = fields.get('defaultValue')
      return {
        onError: { action: 'useDefault', defaultValue: value ?? ('null' as Json) },
        text: objectOf([
          ['action', action],
          ['defaultValue', notNull(value) ?? undefined],
        ]),
      }
    }
    case '"retry"': {
      const attempts = fields.get('maxAttempts')
      const count = attempts === undefined ? defaultAttempts : Number(attempts)
      return {
        onError: {
          action: 'retry',
          maxAttempts: Number.isInteger(count) && count > 0 ? count : defaultAttempts,
        },
        text: objectOf([
          ['action', action],
          ['maxAttempts', attempts],
        ]),
      }
    }
    default:
      throw new ShapeError(
        place,
        `unknown variant \`${kindOf(action) === 'string' ? unquote(action) : action}\`, expected one of \`fail\`, \`useDefault\`, \`retry\``,
      )
  }
}

/** Attempts of a step with `onError: retry` that does not say how many. */
const defaultAttempts = 3

function readSchemas(json: Json | undefined, place: string): Json | null {
  if (json === undefined || json === 'null') return null
  if (kindOf(json) !== 'object') throw new ShapeError(place, 'FlowSchema must be an object')
  const fields = new Map(members(json))
  return objectOf([
    ['type', quote('object')],
    ['$defs', notNull(fields.get('$defs')) ?? undefined],
    ['properties', notNull(fields.get('properties')) ?? undefined],
  ])
}

function readMetadata(json: Json | undefined, place: string): Json | undefined {
  if (json === undefined || json === '{}') return undefined
  if (kindOf(json) !== 'object') throw wrongType(place, json, 'a map')
  return json
}

function readText(json: Json | undefined, place: string): string | null {
  if (json === undefined || json === 'null') return null
  if (kindOf(json) !== 'string') throw wrongType(place, json, 'a string')
  return unquote(json)
}

function needText(json: Json | undefined, name: string, place: string): string {
  if (json === undefined) throw new ShapeError(place, `missing field \`${name}\``)
  if (kindOf(json) !== 'string') throw wrongType(`${place}.${name}`, json, 'a string')
  return unquote(json)
}

function notNull(json: Json | undefined): Json | null {
  return json === undefined || json === 'null' ? null : json
}

function isNull(expression: Expression): boolean {
  return expression.kind === 'constant' && expression.value === 'null'
}

/** `invalid type: map, expected a sequence`, in the words of Stepflow's parser. */
export function wrongType(place: string, json: Json, expected: string): ShapeError {
  return new ShapeError(place, `invalid type: ${describe(json)}, expected ${expected}`, 'start')
}

function describe(json: Json): string {
  switch (kindOf(json)) {
    case 'object':
      return 'map'
    case 'array':
      return 'sequence'
    case 'string':
      return `string ${json}`
    case 'boolean':
      return `boolean \`${json}\``
    case 'null':
      return 'null'
    case 'number':
      return /[.e]/.test(json) ? `floating point \`${json}\`` : `integer \`${json}\``
  }
}
