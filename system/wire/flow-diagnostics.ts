// Static checks of a flow: what makes it impossible to run, and what its author should know.

import type { Flow } from './flow.ts'
import { parseFlow } from './flow.ts'
import type { Expression } from './flow-expression.ts'
import { requiredOf } from './flow-schema.ts'
import {
  arrayOf,
  type Json,
  jsonNull,
  kindOf,
  member,
  members,
  objectOf,
  quote,
  toJson,
  unquote,
} from './json.ts'
import type { JsonPath } from './json-path.ts'
import { ShapeError } from './json-shape.ts'

export type DiagnosticLevel = 'fatal' | 'error' | 'warning'

export interface Diagnostic {
  readonly kind: string
  /** 1xxx warning, 2xxx error, 3xxx fatal. */
  readonly code: number
  readonly level: DiagnosticLevel
  readonly formatted: string
  /** Facts of this one, keys in snake_case. */
  readonly data?: Readonly<Record<string, string>>
  /** `$.steps[0].input` */
  readonly path?: string
  readonly experimental?: true
}

/** Everything to say about `flow`, in Stepflow's order. A flow with a fatal one cannot run. */
export function diagnose(flow: Flow): Diagnostic[] {
  return diagnoseAt(flow, '$')
}

function diagnoseAt(flow: Flow, root: string): Diagnostic[] {
  const found: Diagnostic[] = []
  checkIds(flow, root, found)
  checkNames(flow, root, found)
  const references = new References(flow, root, found)
  references.check()
  checkComponents(flow, root, found)
  checkSkips(flow, root, found)
  references.unreachable()
  checkSubflows(flow, root, found)
  return found
}

export function writeDiagnostics(list: readonly Diagnostic[]): Json {
  const count = (level: DiagnosticLevel): Json => toJson(list.filter((one) => one.level === level).length)
  return objectOf([
    [
      'diagnostics',
      arrayOf(
        list.map((one) =>
          objectOf([
            ['kind', quote(one.kind)],
            ['code', toJson(one.code)],
            ['level', quote(one.level)],
            ['formatted', quote(one.formatted)],
            ['data', one.data === undefined ? undefined : toJson(one.data)],
            ['path', one.path === undefined ? undefined : quote(one.path)],
            ['experimental', one.experimental === undefined ? undefined : toJson(true)],
          ]),
        ),
      ),
    ],
    ['numFatal', count('fatal')],
    ['numError', count('error')],
    ['numWarning', count('warning')],
  ])
}

function checkIds(flow: Flow, root: string, found: Diagnostic[]): void {
  const seen = new Set<string>()
  for (const [index, { id }] of flow.steps.entries()) {
    const path = `${root}.steps[${index}].id`
    if (seen.has(id)) {
      found.push({
        kind: 'duplicateStepId',
        code: 3000,
        level: 'fatal',
        formatted: `Duplicate step ID '${id}'`,
        data: { step_id: id },
        path,
      })
    }
    seen.add(id)
  }
  for (const [index, { id }] of flow.steps.entries()) {
    if (id.trim() !== '') continue
    found.push({
      kind: 'emptyStepId',
      code: 3001,
      level: 'fatal',
      formatted: 'Step has empty ID',
      path: `${root}.steps[${index}].id`,
    })
  }
}

function checkNames(flow: Flow, root: string, found: Diagnostic[]): void {
  if (flow.name === null || flow.name.trim() === '') {
    found.push({
      kind: 'missingFlowName',
      code: 1001,
      level: 'warning',
      formatted: 'Workflow has no name',
      path: `${root}.name`,
    })
  }
  if (flow.description === null) {
    found.push({
      kind: 'missingFlowDescription',
      code: 1002,
      level: 'warning',
      formatted: 'Workflow has no description',
      path: `${root}.description`,
    })
  }
}

type Variable = Expression & { readonly kind: 'variable' }

/** Name of the output where a step's name is asked for. */
const outputName = 'workflow_output'

class References {
  readonly #flow: Flow
  readonly #root: string
  readonly #found: Diagnostic[]
  readonly #mentioned = new Set<string>()
  #inDefault = 0
  readonly #variables: ReadonlyMap<string, Json> | null
  readonly #required: ReadonlySet<string>
  readonly #hasInputSchema: boolean

  constructor(flow: Flow, root: string, found: Diagnostic[]) {
    this.#flow = flow
    this.#root = root
    this.#found = found
    const schemas = member(flow.schemas ?? jsonNull, 'properties') ?? jsonNull
    const schema = member(schemas, 'variables')
    this.#hasInputSchema = member(schemas, 'input') !== undefined
    this.#variables = schema === undefined ? null : new Map(members(member(schema, 'properties') ?? jsonNull))
    this.#required = requiredOf(schema)
  }

  check(): void {
    const earlier = new Set<string>()
    for (const [index, step] of this.#flow.steps.entries()) {
      this.#visit(step.input, `${this.#root}.steps[${index}].input`, step.id, earlier)
      earlier.add(step.id)
    }
    this.#visit(this.#flow.output, `${this.#root}.output`, outputName, earlier)
  }

  unreachable(): void {
    for (const [index, { id }] of this.#flow.steps.entries()) {
      if (this.#mentioned.has(id)) continue
      this.#found.push({
        kind: 'unreachableStep',
        code: 1000,
        level: 'warning',
        formatted: `Step '${id}' is not reachable from the output`,
        data: { step_id: id },
        path: `${this.#root}.steps[${index}]`,
      })
    }
  }

  #visit(node: Expression, path: string, from: string, earlier: ReadonlySet<string>): void {
    switch (node.kind) {
      case 'constant':
      case 'literal':
        return
      case 'step':
        this.#step(node.step, node.path, path, from, earlier)
        return
      case 'input':
        // With any schema of the input the real one is content, whatever the field.
        if (!this.#hasInputSchema) {
          this.#unvalidated('workflow_input', node.path, path, 'no input schema available')
        }
        return
      case 'variable':
        this.#variable(node, path, from)
        if (node.byDefault === null || node.name === null) return
        // What only a default mentions counts as not reachable, as in the real one.
        this.#inDefault++
        this.#visit(node.byDefault, path, from, earlier)
        this.#inDefault--
        return
      case 'if':
        this.#visit(node.condition, `${path}.condition`, from, earlier)
        this.#visit(node.whenTrue, `${path}.then`, from, earlier)
        if (node.whenFalse !== null) this.#visit(node.whenFalse, `${path}.else`, from, earlier)
        return
      case 'coalesce':
      case 'array':
        for (const [index, child] of node.members.entries()) {
          this.#visit(child, `${path}[${index}]`, from, earlier)
        }
        return
      case 'object':
        for (const [key, child] of node.members) {
          const name = unquote(key)
          this.#visit(child, /[.[\]]/.test(name) ? `${path}["${name}"]` : `${path}.${name}`, from, earlier)
        }
        return
    }
  }

  #step(id: string, field: JsonPath, path: string, from: string, earlier: ReadonlySet<string>): void {
    if (this.#inDefault === 0) this.#mentioned.add(id)
    if (id === from) {
      this.#found.push({
        kind: 'selfReference',
        code: 3002,
        level: 'fatal',
        formatted: `Step '${id}' references itself`,
        data: { step_id: id },
        path,
      })
    } else if (!earlier.has(id)) {
      this.#found.push({
        kind: 'undefinedStepReference',
        code: 3003,
        level: 'fatal',
        formatted: `Step '${from}' references undefined step '${id}'`,
        data: { from_step: from, referenced_step: id },
        path,
      })
    } else this.#unvalidated(id, field, path, 'no output schema available')
  }

  #unvalidated(step: string, field: JsonPath, path: string, reason: string): void {
    if (field.segments.length === 0) return
    this.#found.push({
      kind: 'unvalidatedFieldAccess',
      code: 1003,
      level: 'warning',
      formatted: `Field access '${field.text}' on step '${step}' cannot be validated: ${reason}`,
      data: { step_id: step, field: field.text, reason },
      path,
      experimental: true,
    })
  }

  #variable({ name, path: field, rest, byDefault }: Variable, path: string, from: string): void {
    // `$` and `$[0]` name no variable, which only a run can tell.
    if (name === null) return
    if (this.#variables === null) {
      this.#found.push({
        kind: 'missingVariableSchema',
        code: 1004,
        level: 'warning',
        formatted: 'No variable schema defined',
        path: `${this.#root}.variables`,
      })
      return
    }
    if (!this.#variables.has(name)) {
      const required = byDefault === null || this.#required.has(name)
      this.#found.push({
        kind: required ? 'undefinedRequiredVariable' : 'undefinedVariable',
        code: required ? 2005 : 2004,
        level: 'error',
        formatted: `${required ? 'Required variable' : 'Variable'} '${name}' is not defined in step '${from}'`,
        data: { variable: name, context: `step '${from}'` },
        path,
      })
      return
    }
    if (rest.segments.length === 0) return
    const reason = 'variable field type validation not yet implemented'
    this.#unvalidated(`variable_${name}`, field, path, reason)
  }
}

function checkComponents(flow: Flow, root: string, found: Diagnostic[]): void {
  for (const [index, { id, component }] of flow.steps.entries()) {
    if (component.startsWith('/')) continue
    const error = "Component path must start with '/'"
    found.push({
      kind: 'invalidComponent',
      code: 2500,
      level: 'error',
      formatted: `Invalid component '${component}' in step '${id}': ${error}`,
      data: { step_id: id, component, error },
      path: `${root}.steps[${index}].component`,
    })
  }
}

/** Older lines had `skipIf`; a step without effect on its skipping must not pass in silence. */
function checkSkips(flow: Flow, root: string, found: Diagnostic[]): void {
  for (const [index, { id, skipIf }] of flow.steps.entries()) {
    if (skipIf === null) continue
    const condition = skipIf.length <= maxShownCondition ? skipIf : '<its condition>'
    const instead = `{"$if":${condition},"then":null,"else":{"$step":${quote(id)}}}`
    found.push({
      kind: 'ignoredSkip',
      code: 1900,
      level: 'warning',
      formatted: `Step '${id}' runs in spite of its skipIf, which Stepflow 0.9 ignores: wherever its result is used, write ${instead}`,
      data: { step_id: id, instead },
      path: `${root}.steps[${index}].skipIf`,
    })
  }
}

/** Characters of a condition that a warning repeats. */
const maxShownCondition = 200

/** Flows written out in the input of put_blob are checked too. */
function checkSubflows(flow: Flow, root: string, found: Diagnostic[]): void {
  for (const [index, { component, input }] of flow.steps.entries()) {
    if (component !== '/builtin/put_blob' && component !== '/put_blob') continue
    const { type, data } = putBlobFields(input)
    if (type !== '"flow"' || data === null) continue
    const path = `${root}.steps[${index}].input.data${data.kind === 'literal' ? '.$literal' : ''}`
    try {
      found.push(...diagnoseAt(parseFlow(data.value), path))
    } catch (cause) {
      // Without the place: the real one reads a value here, not a text.
      const error = cause instanceof ShapeError ? cause.problem : String(cause)
      found.push({
        kind: 'invalidSubflowLiteral',
        code: 2003,
        level: 'error',
        formatted: `Invalid subflow literal: Failed to parse subflow: ${error}`,
        data: { error: `Failed to parse subflow: ${error}` },
        path,
      })
    }
  }
}

/** The type where it is written out, and the data where it is: by `$literal`, or as a text, a number or the like. */
function putBlobFields(input: Expression): {
  type: Json | null
  data: (Expression & { value: Json }) | null
} {
  const fields = new Map<string, Expression>(
    input.kind === 'object'
      ? input.members.map(([key, value]) => [unquote(key), value])
      : input.kind === 'constant'
        ? members(input.value).map(([key, value]) => [key, { kind: 'constant', value }])
        : [],
  )
  const [type, data] = [fields.get('blob_type'), fields.get('data')]
  const isWrittenOut =
    data?.kind === 'literal' ||
    (data?.kind === 'constant' && !['object', 'array'].includes(kindOf(data.value)))
  return { type: type?.kind === 'constant' ? type.value : null, data: isWrittenOut ? data : null }
}
