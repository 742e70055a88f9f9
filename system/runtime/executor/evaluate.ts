// Evaluates value expressions against what an item has so far: a value, a failure, or the steps still needed.

import type { Expression } from '../../wire/flow-expression.ts'
import { type Json, jsonNull } from '../../wire/json.ts'
import { valueAt, valueAtOrNull } from '../../wire/json-path.ts'
import type { FlowError, Outcome } from './failure.ts'

/** What expressions can see. */
export interface Scope {
  readonly input: Json
  /** The result of a step; `'pending'` while it has none, `'unknown'` where there is no such step. */
  outcomeOf(step: string): Outcome | 'pending' | 'unknown'
  /** The value of a variable from the run or the schema's default; undefined where neither has it. */
  variable(name: string): Json | undefined
}

/** Characters a value made by an expression may have, as the body of a component server's request may. */
export const maxValueChars = 64 * 1024 * 1024

export type Evaluation =
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'failed'; readonly error: FlowError }
  | { readonly kind: 'needs'; readonly steps: readonly string[] }

/** Evaluates `expression`. A need beats a failure: what runs does not depend on what fails beside it. */
export function evaluate(expression: Expression, scope: Scope): Evaluation {
  const needs: string[] = []
  const result = resolve(expression, scope, needs)
  if (needs.length > 0) return { kind: 'needs', steps: [...new Set(needs)] }
  if (typeof result !== 'string') return { kind: 'failed', error: result.error }
  return { kind: 'value', value: result }
}

/**
 * The steps whose results `expression` needs before anything else is known, each once. What stands in a
 * branch, in a later member of `$coalesce` or in a default is not among them.
 */
export function firstNeeds(expression: Expression): string[] {
  const found = new Set<string>()
  const visit = (node: Expression): void => {
    switch (node.kind) {
      case 'step':
        found.add(node.step)
        return
      case 'if':
        visit(node.condition)
        return
      case 'coalesce':
        if (node.members[0] !== undefined) visit(node.members[0])
        return
      case 'object':
        for (const [, value] of node.members) visit(value)
        return
      case 'array':
        for (const value of node.members) visit(value)
        return
      default:
        return
    }
  }
  visit(expression)
  return [...found]
}

interface Failed {
  readonly error: FlowError
}

/** The value; while `needs` holds a step it is a stand-in. Recursion is bounded by the parser's levels. */
function resolve(node: Expression, scope: Scope, needs: string[]): Json | Failed {
  switch (node.kind) {
    case 'constant':
    case 'literal':
      return node.value
    case 'step': {
      const outcome = scope.outcomeOf(node.step)
      if (outcome === 'pending') {
        needs.push(node.step)
        return jsonNull
      }
      if (outcome === 'unknown') return { error: { code: 404, message: `Unknown step: ${node.step}` } }
      if (!outcome.ok) return outcome
      return valueAtOrNull(outcome.value, node.path) ?? missing(`Path ${node.path.text} not found`)
    }
    case 'input':
      return valueAt(scope.input, node.path) ?? missing(`Input path ${node.path.text} not found`)
    case 'variable': {
      if (node.name === null) {
        const empty = node.path.segments.length === 0
        const message = empty ? 'Variable path is empty' : 'Variable name must be a string'
        return { error: { code: 500, message } }
      }
      const whole = scope.variable(node.name)
      const value = whole === undefined ? undefined : valueAt(whole, node.rest)
      if (value !== undefined) return value
      if (node.byDefault !== null) return resolve(node.byDefault, scope, needs)
      return missing(`Undefined variable: ${node.name}`)
    }
    case 'if': {
      const before = needs.length
      const condition = resolve(node.condition, scope, needs)
      if (needs.length > before) return jsonNull
      const holds = typeof condition === 'string' && condition !== 'null' && condition !== 'false'
      if (holds) return resolve(node.whenTrue, scope, needs)
      return node.whenFalse === null ? jsonNull : resolve(node.whenFalse, scope, needs)
    }
    case 'coalesce': {
      for (const choice of node.members) {
        const before = needs.length
        const value = resolve(choice, scope, needs)
        if (typeof value !== 'string' || needs.length > before || value !== 'null') return value
      }
      return jsonNull
    }
    case 'object': {
      let text = '{'
      let failed: Failed | null = null
      for (const [quoted, child] of node.members) {
        const value = resolve(child, scope, needs)
        if (typeof value !== 'string') failed ??= value
        else text += text.length === 1 ? `${quoted}:${value}` : `,${quoted}:${value}`
        // Well before the longest string that JavaScript can hold, which would end the process.
        if (text.length > maxValueChars) return tooLong
      }
      return failed ?? (`${text}}` as Json)
    }
    case 'array': {
      let text = '['
      let failed: Failed | null = null
      for (const child of node.members) {
        const value = resolve(child, scope, needs)
        if (typeof value !== 'string') failed ??= value
        else text += text.length === 1 ? value : `,${value}`
        if (text.length > maxValueChars) return tooLong
      }
      return failed ?? (`${text}]` as Json)
    }
  }
}

/** The error of a value that nobody could send or keep. */
export const tooLongError: FlowError = {
  code: 500,
  message: `The value is longer than ${maxValueChars} characters`,
}
const tooLong: Failed = { error: tooLongError }

function missing(message: string): Failed {
  return { error: { code: 1, message } }
}
