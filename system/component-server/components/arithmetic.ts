// double, square, add, multiply: the smallest components, for loads whose cost is the way there and back.

import { Type } from '@sinclair/typebox'
import { rpcCodes } from '../../wire/jsonrpc.ts'
import { component } from '../component.ts'
import { ComponentError } from '../failure.ts'

const Value = Type.Object({ value: Type.Number() })
const Pair = Type.Object({ a: Type.Number(), b: Type.Number() })
const Result = Type.Object({ result: Type.Number() })

export const double = component({
  name: 'double',
  description: 'Twice a number',
  input: Value,
  output: Result,
  run: ({ value }) => resultOf(value * 2),
})

export const square = component({
  name: 'square',
  description: 'A number times itself',
  input: Value,
  output: Result,
  run: ({ value }) => resultOf(value * value),
})

export const add = component({
  name: 'add',
  description: 'The sum of two numbers',
  input: Pair,
  output: Result,
  run: ({ a, b }) => resultOf(a + b),
})

export const multiply = component({
  name: 'multiply',
  description: 'The product of two numbers',
  input: Pair,
  output: Result,
  run: ({ a, b }) => resultOf(a * b),
})

/** JSON has no infinity: it would become null without a word. */
function resultOf(result: number): { result: number } {
  if (Number.isFinite(result)) return { result }
  throw new ComponentError('result: is beyond the range of a double', { code: rpcCodes.value })
}
