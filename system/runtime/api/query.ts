// Query parameters: texts to values, refused in the words of Stepflow.

import { unknownVariant } from '../../wire/json-shape.ts'
import { readUuid, uuidProblem } from '../ids.ts'
import { type Refusal, refuseText } from './errors.ts'

function bad(problem: string): Refusal {
  return refuseText(400, `Failed to deserialize query string: ${problem}`)
}

/** The one value of `name`; undefined where it is absent. @throws Refusal where it comes twice */
export function readQuery(query: URLSearchParams, name: string): string | undefined {
  const [value, ...more] = query.getAll(name)
  if (more.length > 0) throw bad(`duplicate field \`${name}\``)
  return value
}

export function readChoice<T extends string>(
  query: URLSearchParams,
  name: string,
  names: readonly T[],
): T | undefined {
  const value = readQuery(query, name)
  if (value === undefined) return undefined
  const known = names.find((each) => each === value)
  if (known === undefined) throw bad(`${name}: ${unknownVariant(value, names)}`)
  return known
}

/** @param max what its type holds; default 2^53 - 1 */
export function readWhole(
  query: URLSearchParams,
  name: string,
  max = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = readQuery(query, name)
  if (value === undefined) return undefined
  if (value === '') throw bad(`${name}: cannot parse integer from empty string`)
  if (!/^\+?\d+$/.test(value)) throw bad(`${name}: invalid digit found in string`)
  const number = Number(value)
  if (number > max) throw bad(`${name}: number too large to fit in target type`)
  return number
}

export function readSwitch(query: URLSearchParams, name: string): boolean | undefined {
  const value = readQuery(query, name)
  if (value === undefined) return undefined
  if (value !== 'true' && value !== 'false') {
    throw bad(`${name}: provided string was not \`true\` or \`false\``)
  }
  return value === 'true'
}

export function readId(query: URLSearchParams, name: string): string | undefined {
  const value = readQuery(query, name)
  if (value === undefined) return undefined
  const id = readUuid(value)
  if (id === null) throw bad(`${name}: UUID parsing failed: ${uuidProblem(value)}`)
  return id
}
