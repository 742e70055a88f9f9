// Value expressions of a flow: JSON to a tree whose constant parts are text, and back.

import {
  arrayOf,
  elements,
  type Json,
  jsonNull,
  kindOf,
  maxDepth,
  members,
  objectOf,
  quote,
  unquote,
} from './json.ts'
import { type JsonPath, parsePath, wholePath } from './json-path.ts'
import { describe, type Place, ShapeError } from './json-shape.ts'

export type Expression =
  /** Text that stands for itself. */
  | { readonly kind: 'constant'; readonly value: Json }
  /** `$literal`: `value` untouched, whatever it looks like. */
  | { readonly kind: 'literal'; readonly value: Json }
  | { readonly kind: 'step'; readonly step: string; readonly path: JsonPath }
  | { readonly kind: 'input'; readonly path: JsonPath }
  /** The first segment of `path` names the variable; null where it is no name. */
  | {
      readonly kind: 'variable'
      readonly path: JsonPath
      readonly name: string | null
      readonly rest: JsonPath
      readonly byDefault: Expression | null
    }
  | {
      readonly kind: 'if'
      readonly condition: Expression
      readonly whenTrue: Expression
      readonly whenFalse: Expression | null
    }
  | { readonly kind: 'coalesce'; readonly members: readonly Expression[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [Json, Expression])[] }
  | { readonly kind: 'array'; readonly members: readonly Expression[] }

export const nullExpression: Expression = { kind: 'constant', value: jsonNull }

/**
 * Reads an expression. Objects with `$literal`, `$if`, `$coalesce`, `$step`, `$input` or `$variable` (looked
 * for in this order) are expressions, `$from` of older lines is translated, all else is a template.
 * @param place where it stands, for errors
 * @param depth levels above it; a flow that a flow makes may have more than any text
 * @throws ShapeError
 */
export function parseExpression(json: Json, place: Place, depth = 0): Expression {
  const kind = kindOf(json)
  const inner = depth + 1
  if (inner > maxDepth && (kind === 'array' || kind === 'object')) {
    throw new ShapeError(place, 'recursion limit exceeded', 'after')
  }
  if (kind === 'array') {
    const list = elements(json).map((item) => parseExpression(item, place, inner))
    return list.every((item) => item.kind === 'constant')
      ? { kind: 'constant', value: json }
      : { kind: 'array', members: list }
  }
  if (kind !== 'object') return { kind: 'constant', value: json }
  const list = members(json)
  if (json.includes('"$')) {
    const special = parseSpecial(new Map(list), place, inner)
    if (special !== null) return special
  }
  const parsed = list.map(([key, value]) => [quote(key), parseExpression(value, place, inner)] as const)
  return parsed.every(([, value]) => value.kind === 'constant')
    ? { kind: 'constant', value: json }
    : { kind: 'object', members: parsed }
}

function parseSpecial(fields: ReadonlyMap<string, Json>, place: Place, depth: number): Expression | null {
  const literal = fields.get('$literal')
  if (literal !== undefined) return { kind: 'literal', value: literal }
  const condition = fields.get('$if')
  if (condition !== undefined) {
    const then = fields.get('then')
    const otherwise = fields.get('else')
    if (then === undefined) throw new ShapeError(place, 'then key required for $if', 'after')
    return {
      kind: 'if',
      condition: parseExpression(condition, place, depth),
      whenTrue: parseExpression(then, place, depth),
      whenFalse: otherwise === undefined ? null : parseExpression(otherwise, place, depth),
    }
  }
  const coalesce = fields.get('$coalesce')
  if (coalesce !== undefined) {
    if (kindOf(coalesce) !== 'array') throw new ShapeError(place, '$coalesce must be an array', 'after')
    return {
      kind: 'coalesce',
      members: elements(coalesce).map((item) => parseExpression(item, place, depth + 1)),
    }
  }
  const step = fields.get('$step')
  if (step !== undefined) {
    if (kindOf(step) !== 'string') throw new ShapeError(place, '$step must be a string', 'after')
    return { kind: 'step', step: unquote(step), path: readPath(fields.get('path'), 'path', place) }
  }
  const input = fields.get('$input')
  if (input !== undefined) return { kind: 'input', path: readPath(input, '$input', place) }
  const variable = fields.get('$variable')
  if (variable !== undefined) {
    const path = readPath(variable, '$variable', place)
    const [first, ...rest] = path.segments
    const byDefault = fields.get('default')
    return {
      kind: 'variable',
      path,
      name: first?.kind === 'field' ? first.name : null,
      rest: { segments: rest, text: path.text },
      byDefault: byDefault === undefined ? null : parseExpression(byDefault, place, depth),
    }
  }
  return parseFrom(fields, place)
}

/** `{"$from":{"step":"a"},"path":P}` and `{"$from":{"workflow":"input"},"path":P}` of older lines. */
function parseFrom(fields: ReadonlyMap<string, Json>, place: Place): Expression | null {
  const from = fields.get('$from')
  if (from === undefined || kindOf(from) !== 'object') return null
  const source = new Map(members(from))
  const step = source.get('step')
  const path = (): JsonPath => readPath(fields.get('path'), 'path', place)
  if (step !== undefined && kindOf(step) === 'string')
    return { kind: 'step', step: unquote(step), path: path() }
  if (source.get('workflow') === '"input"') return { kind: 'input', path: path() }
  return null
}

function readPath(json: Json | undefined, key: string, place: Place): JsonPath {
  if (json === undefined || json === 'null') return wholePath
  if (kindOf(json) !== 'string')
    throw new ShapeError(
      place,
      `Invalid ${key}: invalid type: ${describe(json)}, expected a JSON path string`,
      'after',
    )
  try {
    return parsePath(unquote(json))
  } catch (error) {
    const problem = error instanceof Error ? error.message.replace(/ \(ERR_\w+\)$/, '') : String(error)
    throw new ShapeError(place, `Invalid ${key}: ${problem}`, 'after')
  }
}

/** The expression as Stepflow stores it. */
export function writeExpression(expression: Expression): Json {
  switch (expression.kind) {
    case 'constant':
      return expression.value
    case 'literal':
      return objectOf([['$literal', expression.value]])
    case 'step':
      return objectOf([
        ['$step', quote(expression.step)],
        ['path', expression.path.segments.length === 0 ? undefined : quote(expression.path.text)],
      ])
    case 'input':
      return objectOf([['$input', quote(expression.path.text)]])
    case 'variable':
      return objectOf([
        ['$variable', quote(expression.path.text)],
        ['default', expression.byDefault === null ? undefined : writeExpression(expression.byDefault)],
      ])
    case 'if':
      return objectOf([
        ['$if', writeExpression(expression.condition)],
        ['then', writeExpression(expression.whenTrue)],
        ['else', expression.whenFalse === null ? undefined : writeExpression(expression.whenFalse)],
      ])
    case 'coalesce':
      return objectOf([['$coalesce', arrayOf(expression.members.map(writeExpression))]])
    case 'object': {
      const list = expression.members.map(([quoted, value]) => `${quoted}:${writeExpression(value)}`)
      return `{${list.join(',')}}` as Json
    }
    case 'array':
      return arrayOf(expression.members.map(writeExpression))
  }
}
