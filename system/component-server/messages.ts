// One POST body to a message of the protocol, or to the words that refuse it. Pure.
//
// Wording, order of checks and codes are those of Stepflow's worker (wire specification E.5).

import { isUtf8 } from 'node:buffer'
import { type Json, JsonSyntaxError, member, parseJson, toJson } from '../wire/json.ts'

/** Headers of a POST that matter beyond HTTP itself. */
export interface PostHead {
  /** Stepflow-Instance-Id: on replies to callbacks, the pod they are meant for. */
  readonly pinned: string | undefined
  /** Via (RFC 9110 7.6.3): a balancer names its own pod there. */
  readonly via: string | undefined
  /** W3C trace context: the span of whoever sent it. */
  readonly traceparent: string | undefined
}

/** Ids of a call as its `observability` gives them; each may be absent. */
export interface CallIds {
  readonly traceId: string | undefined
  readonly spanId: string | undefined
  readonly runId: string | undefined
  readonly flowId: string | undefined
  readonly stepId: string | undefined
}

/** `id` is JSON text, so that `7` stays `7` and `"7"` stays `"7"`. */
export type Message =
  | {
      readonly kind: 'execute'
      readonly id: Json
      /** The id as history has it: without quotes. */
      readonly requestId: string
      readonly component: string
      readonly input: unknown
      readonly attempt: number
      readonly ids: CallIds
      /** The whole message, for members that travel as text. */
      readonly text: string
    }
  | { readonly kind: 'request'; readonly id: Json; readonly method: Method; readonly params: Fields }
  | { readonly kind: 'notification'; readonly method: Method }
  | { readonly kind: 'reply'; readonly id: string | number; readonly fields: Fields; readonly text: string }
  | { readonly kind: 'refused'; readonly message: string }

export type Fields = Readonly<Record<string, unknown>>

/** Methods that either side knows; any other is refused. */
const methods = [
  'initialize',
  'initialized',
  'components/list',
  'components/info',
  'components/execute',
  'components/infer_schema',
  'blobs/put',
  'blobs/get',
  'runs/submit',
  'runs/get',
] as const

export type Method = (typeof methods)[number]

/** Reads the body of one POST. Unknown fields are ignored; a field that comes twice counts as it came last. */
export function readMessage(body: Buffer): Message {
  if (!isUtf8(body)) return undecodable('JSON is malformed: invalid UTF-8')
  const text = body.toString()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undecodable(syntaxProblem(text))
  }
  if (!isFields(json)) return undecodable(expected('object', json, ''))
  const { jsonrpc, id, method, params } = json
  if (jsonrpc !== '2.0' && jsonrpc !== undefined) {
    return undecodable(
      typeof jsonrpc === 'string'
        ? `Invalid enum value '${clip(jsonrpc)}' - at \`$.jsonrpc\``
        : expected('str', jsonrpc, '$.jsonrpc'),
    )
  }
  if (typeof id !== 'string' && id !== undefined && id !== null && !isInteger(id)) {
    return undecodable(expected('int | str | null', id, '$.id'))
  }
  if (method !== undefined && method !== null) {
    if (typeof method !== 'string') return undecodable(expected('str | null', method, '$.method'))
    if (!isMethod(method)) return undecodable(`Invalid enum value '${clip(method)}' - at \`$.method\``)
    const isRequest = id !== undefined && id !== null
    if (params === undefined) {
      return refused(
        isRequest ? "Method request missing 'params' field" : "Notification missing 'params' field",
      )
    }
    if (!isFields(params)) return undecodable(expected('object', params, ''))
    if (method === 'components/execute') {
      const problem = executeProblem(params)
      if (problem !== null) return undecodable(problem)
      if (!isRequest) return { kind: 'notification', method }
      return {
        kind: 'execute',
        id: idText(id, text),
        requestId: String(id),
        component: params['component'] as string,
        input: params['input'],
        attempt: params['attempt'] as number,
        ids: readIds(params['observability'] as Fields),
        text,
      }
    }
    const problem = paramsProblem(method, params)
    if (problem !== null) return undecodable(problem)
    return isRequest
      ? { kind: 'request', id: idText(id, text), method, params }
      : { kind: 'notification', method }
  }
  if (id === undefined || id === null) return refused("Notification missing 'method' field")
  const { result, error } = json
  if (error !== undefined && error !== null && !isFields(error)) {
    return undecodable(expected('object', error, '$.error'))
  }
  if (result !== undefined && error !== undefined && error !== null) {
    return refused(
      `Method response for id '${clip(String(id))}' cannot have both 'result' and 'error' fields`,
    )
  }
  if (result === undefined && (error === undefined || error === null)) {
    return refused("Invalid message: must have either 'id' or 'method'")
  }
  return { kind: 'reply', id, fields: json, text }
}

/** Text of `result` of a reply, for members that travel as text. */
export function replyResult(text: string): Json | undefined {
  return member(parseJson(text), 'result')
}

/** Text of the input of an execute message. */
export function executeInput(text: string): Json | undefined {
  const params = member(parseJson(text), 'params')
  return params === undefined ? undefined : member(params, 'input')
}

/** The message of a refusal in the words of Stepflow's worker. */
export function missingField(name: string): string {
  return `Object missing required field \`${name}\``
}

/** ``Expected `int`, got `str` - at `$.attempt` `` */
export function expected(wanted: string, got: unknown, at: string): string {
  return `Expected \`${wanted}\`, got \`${typeName(got)}\`${at === '' ? '' : ` - at \`${at}\``}`
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function executeProblem(params: Fields): string | null {
  const { component, attempt, observability } = params
  if (typeof component !== 'string') return wrong(component, 'component', 'str')
  if (params['input'] === undefined) return missingField('input')
  if (!isInteger(attempt)) return wrong(attempt, 'attempt', 'int')
  if (!isFields(observability)) return wrong(observability, 'observability', 'object')
  return idsProblem(observability)
}

function paramsProblem(method: Method, params: Fields): string | null {
  switch (method) {
    case 'initialize': {
      const version = params['runtime_protocol_version']
      return isInteger(version) ? null : wrong(version, 'runtime_protocol_version', 'int')
    }
    case 'components/info': {
      const { component } = params
      return typeof component === 'string' ? null : wrong(component, 'component', 'str')
    }
    case 'components/infer_schema': {
      const { component } = params
      if (typeof component !== 'string') return wrong(component, 'component', 'str')
      return params['input_schema'] === undefined ? missingField('input_schema') : null
    }
    // Requests of a worker to a runtime are no business of this side, whatever they hold.
    default:
      return null
  }
}

const idFields = ['trace_id', 'span_id', 'run_id', 'flow_id', 'step_id'] as const

function idsProblem(observability: Fields): string | null {
  for (const name of idFields) {
    const value = observability[name]
    if (value !== undefined && value !== null && typeof value !== 'string') {
      return expected('str | null', value, `$.observability.${name}`)
    }
  }
  return null
}

function readIds(observability: Fields): CallIds {
  return {
    traceId: given(observability['trace_id']),
    spanId: given(observability['span_id']),
    runId: given(observability['run_id']),
    flowId: given(observability['flow_id']),
    stepId: given(observability['step_id']),
  }
}

function given(id: unknown): string | undefined {
  return typeof id === 'string' ? id : undefined
}

/** JSON text of an id: a number as it was written, for JavaScript rounds those above 2^53. */
function idText(id: unknown, text: string): Json {
  return typeof id === 'number' && !Number.isSafeInteger(id)
    ? (member(parseJson(text), 'id') ?? toJson(id))
    : toJson(id)
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value)
}

function isMethod(text: string): text is Method {
  return (methods as readonly string[]).includes(text)
}

function wrong(value: unknown, name: string, wanted: string): string {
  return value === undefined ? missingField(name) : expected(wanted, value, `$.${name}`)
}

/** Names of Python's types, as Stepflow's worker has them in its messages. */
function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  if (typeof value === 'string') return 'str'
  return typeof value === 'boolean' ? 'bool' : 'object'
}

/** What is wrong with a text that JSON.parse refuses, whose own words are not stable. */
function syntaxProblem(text: string): string {
  try {
    parseJson(text)
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      const { problem, line, column } = error
      return problem.startsWith('EOF')
        ? 'Input data was truncated'
        : `JSON is malformed: ${problem} (line ${line}, column ${column})`
    }
  }
  return 'JSON is malformed'
}

/** A peer's text inside a message, cut so that an answer stays small. */
function clip(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}

function undecodable(problem: string): Message {
  return refused(`Failed to decode message: ${problem}`)
}

function refused(message: string): Message {
  return { kind: 'refused', message }
}
