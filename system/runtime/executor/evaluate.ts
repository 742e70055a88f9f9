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
  /** `rest` is what is left to evaluate when `steps` have ended. */
  | { readonly kind: 'needs'; readonly steps: readonly string[]; readonly rest: Unevaluated }

/**
 * An expression, or what is left of one. What was evaluated once stays so: a `$coalesce` asks for its members one by
 * one, and to begin anew each time would take the square of their number.
 */
export type Unevaluated = Expression | Rest

type Rest =
  | {
      readonly kind: 'rest-of-if'
      readonly condition: Unevaluated
      readonly of: Extract<Expression, { kind: 'if' }>
    }
  /** The members before `next` are null, but for the last of them, of which `first` is left. */
  | {
      readonly kind: 'rest-of-coalesce'
      readonly first: Unevaluated
      readonly next: number
      readonly of: Extract<Expression, { kind: 'coalesce' }>
    }
  | RestOfList

/** An array or an object of which `gaps` are open. */
interface RestOfList {
  readonly kind: 'rest-of-list'
  readonly gaps: readonly Gap[]
  /** What stands behind the last gap. */
  readonly end: string
  /** The first member that failed, and its index. */
  readonly failed: FailedMember | null
}

interface Gap {
  /** Index of the member. */
  readonly at: number
  /** What stands between the gap before and this one. */
  readonly text: string
  readonly rest: Unevaluated
}

interface FailedMember {
  readonly at: number
  readonly failed: Failed
}

/** Evaluates `expression`. A need beats a failure: what runs does not depend on what fails beside it. */
export function evaluate(expression: Unevaluated, scope: Scope): Evaluation {
  const needs: string[] = []
  const result = resolve(expression, scope, needs)
  if (needs.length > 0) {
    const rest = isPending(result) ? result.rest : expression
    return { kind: 'needs', steps: [...new Set(needs)], rest }
  }
  if (typeof result === 'string') return { kind: 'value', value: result }
  // Nothing is pending without a need.
  return { kind: 'failed', error: (result as Failed).error }
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

/** Some step that is needed first has no result. */
interface Pending {
  readonly rest: Unevaluated
}

type Resolved = Json | Failed | Pending

function isPending(resolved: Resolved): resolved is Pending {
  return typeof resolved === 'object' && 'rest' in resolved
}

/** What is pending has its steps in `needs`. Recursion is bounded by the parser's levels. */
function resolve(node: Unevaluated, scope: Scope, needs: string[]): Resolved {
  switch (node.kind) {
    case 'constant':
    case 'literal':
      return node.value
    case 'step': {
      const outcome = scope.outcomeOf(node.step)
      if (outcome === 'pending') {
        needs.push(node.step)
        return { rest: node }
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
    case 'if':
      return branch(node.condition, node, scope, needs)
    case 'rest-of-if':
      return branch(node.condition, node.of, scope, needs)
    case 'coalesce':
      return coalesce(node, 0, scope, needs)
    case 'rest-of-coalesce': {
      const value = resolve(node.first, scope, needs)
      if (isPending(value)) return { rest: { ...node, first: value.rest } }
      return value === 'null' ? coalesce(node.of, node.next, scope, needs) : value
    }
    case 'object': {
      const list = node.members
      let text = '{'
      let open: OpenList | null = null
      let failed: FailedMember | null = null
      for (let at = 0; at < list.length; at++) {
        const [quoted, child] = list[at] as (typeof list)[number]
        const value = resolve(child, scope, needs)
        const comma = at === 0 ? '' : ','
        if (typeof value === 'string') text += `${comma}${quoted}:${value}`
        else if (isPending(value)) {
          open ??= new OpenList()
          open.gap(at, `${text}${comma}${quoted}:`, value.rest)
          text = ''
        } else failed ??= { at, failed: value }
        // Well before the longest string that JavaScript can hold, which would end the process.
        if (text.length + (open?.chars ?? 0) > maxValueChars) return tooLong
      }
      if (open !== null) return open.rest(`${text}}`, failed)
      return failed?.failed ?? (`${text}}` as Json)
    }
    case 'array': {
      const list = node.members
      let text = '['
      let open: OpenList | null = null
      let failed: FailedMember | null = null
      for (let at = 0; at < list.length; at++) {
        const value = resolve(list[at] as Expression, scope, needs)
        const comma = at === 0 ? '' : ','
        if (typeof value === 'string') text += `${comma}${value}`
        else if (isPending(value)) {
          open ??= new OpenList()
          open.gap(at, `${text}${comma}`, value.rest)
          text = ''
        } else failed ??= { at, failed: value }
        if (text.length + (open?.chars ?? 0) > maxValueChars) return tooLong
      }
      if (open !== null) return open.rest(`${text}]`, failed)
      return failed?.failed ?? (`${text}]` as Json)
    }
    case 'rest-of-list':
      return fillGaps(node, scope, needs)
  }
}

function branch(
  condition: Unevaluated,
  node: Extract<Expression, { kind: 'if' }>,
  scope: Scope,
  needs: string[],
): Resolved {
  const value = resolve(condition, scope, needs)
  if (isPending(value)) return { rest: { kind: 'rest-of-if', condition: value.rest, of: node } }
  const holds = typeof value === 'string' && value !== 'null' && value !== 'false'
  if (holds) return resolve(node.whenTrue, scope, needs)
  return node.whenFalse === null ? jsonNull : resolve(node.whenFalse, scope, needs)
}

function coalesce(
  node: Extract<Expression, { kind: 'coalesce' }>,
  from: number,
  scope: Scope,
  needs: string[],
): Resolved {
  for (let at = from; at < node.members.length; at++) {
    const value = resolve(node.members[at] as Expression, scope, needs)
    if (isPending(value)) {
      return { rest: { kind: 'rest-of-coalesce', first: value.rest, next: at + 1, of: node } }
    }
    if (value !== 'null') return value
  }
  return jsonNull
}

/** Takes together what is left of a list. */
class OpenList {
  /** Characters so far. */
  chars = 0
  readonly #gaps: Gap[] = []

  gap(at: number, text: string, rest: Unevaluated): void {
    this.#gaps.push({ at, text, rest })
    this.chars += text.length
  }

  rest(end: string, failed: FailedMember | null): Pending {
    return { rest: { kind: 'rest-of-list', gaps: this.#gaps, end, failed } }
  }
}

function fillGaps(node: RestOfList, scope: Scope, needs: string[]): Resolved {
  let text = ''
  let open: OpenList | null = null
  let { failed } = node
  for (const gap of node.gaps) {
    text += gap.text
    const value = resolve(gap.rest, scope, needs)
    if (typeof value === 'string') text += value
    else if (isPending(value)) {
      open ??= new OpenList()
      open.gap(gap.at, text, value.rest)
      text = ''
    } else if (failed === null || gap.at < failed.at) failed = { at: gap.at, failed: value }
    if (text.length + (open?.chars ?? 0) > maxValueChars) return tooLong
  }
  text += node.end
  // But for the bracket.
  if (text.length - 1 + (open?.chars ?? 0) > maxValueChars) return tooLong
  if (open !== null) return open.rest(text, failed)
  return failed?.failed ?? (text as Json)
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
