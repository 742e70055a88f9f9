// Decides what an answer says: completed, failed, refused; and whether its value is the expected one.

import type { RunAnswered } from '../../../../contracts/history.ts'
import type { LoadTarget } from '../../../../contracts/load.ts'
import { canonicalJson, jsonEqual } from '../../json-equal.ts'

/** What came of one arrival: the fields of its `run.answered` record. */
export type Answer = Pick<
  RunAnswered,
  'outcome' | 'status' | 'runId' | 'correct' | 'foreign' | 'error' | 'got'
>

/** Tells whether a value is the expected one of an input. */
export interface Expectation {
  /** Fields of the answer that say so; none where the workload expects nothing. */
  judge(inputIndex: number, value: unknown): Pick<Answer, 'correct' | 'foreign' | 'got' | 'error'>
}

/** Longest piece of a wrong value or of an error that is kept, characters. */
const keptCharacters = 200

/** What the workload expects of each input. */
export function expectationOf(expected: readonly unknown[] | undefined): Expectation {
  if (expected === undefined) return { judge: () => ({}) }
  const canonical = expected.map(canonicalJson)
  const owners = new Map<string, number>()
  for (const text of canonical) owners.set(text, (owners.get(text) ?? 0) + 1)
  // A value that two inputs share cannot show whose it is.
  const unique = canonical.map((text) => owners.get(text) === 1 && owners.size > 1)
  return {
    judge(index, value) {
      if (jsonEqual(value, expected[index])) {
        return unique[index] === true ? { correct: true, foreign: false } : { correct: true }
      }
      const wrong = { correct: false, error: 'wrong value', got: cut(JSON.stringify(value) ?? 'no value') }
      return unique[index] === true ? { ...wrong, foreign: owners.has(canonicalJson(value)) } : wrong
    },
  }
}

/**
 * Reads an answer of the target. 4xx and 503 say that nothing was accepted; any other answer that does not
 * hold a result is a failure, for it is an answer.
 */
export function readAnswer(
  kind: LoadTarget['kind'],
  inputIndex: number,
  expectation: Expectation,
  status: number,
  contentType: string,
  body: string,
): Answer {
  const value = parse(body)
  if ((status >= 400 && status < 500) || status === 503) {
    return { outcome: 'refused', status, error: `HTTP ${status}${detail(value, body)}` }
  }
  if (status < 200 || status >= 300) {
    return { outcome: 'failed', status, error: `HTTP ${status}${detail(value, body)}` }
  }
  if (contentType.startsWith('text/event-stream')) {
    return { outcome: 'failed', status, error: 'answered with an event stream' }
  }
  if (!isObject(value)) return { outcome: 'failed', status, error: 'answer is no JSON object' }
  return kind === 'runs'
    ? readRun(inputIndex, expectation, status, value)
    : readCall(inputIndex, expectation, status, value)
}

/** Reads `{runId, itemCount, result: {outcome, result|error}, status}`. */
function readRun(
  inputIndex: number,
  expectation: Expectation,
  status: number,
  answer: Record<string, unknown>,
): Answer {
  const { runId, result } = answer
  const base = { status, ...(typeof runId === 'string' ? { runId } : {}) }
  if (isObject(result) && result['outcome'] === 'success' && answer['status'] === 'completed') {
    return { outcome: 'completed', ...base, ...expectation.judge(inputIndex, result['result']) }
  }
  if (isObject(result) && result['outcome'] === 'failed') {
    return { outcome: 'failed', ...base, error: `run failed${detail(result, '')}` }
  }
  return { outcome: 'failed', ...base, error: cut(`run ended as ${JSON.stringify(answer['status'])}`) }
}

/** Reads `{jsonrpc, id, result: {output}}` or `{…, error}`. */
function readCall(
  inputIndex: number,
  expectation: Expectation,
  status: number,
  answer: Record<string, unknown>,
): Answer {
  const { result } = answer
  if (isObject(result) && Object.hasOwn(result, 'output')) {
    return { outcome: 'completed', status, ...expectation.judge(inputIndex, result['output']) }
  }
  return { outcome: 'failed', status, error: `call failed${detail(answer, '')}` }
}

/** The message of an error body, where it has one; otherwise its first characters. */
function detail(value: unknown, body: string): string {
  const error = isObject(value) && Object.hasOwn(value, 'error') ? value['error'] : value
  const message = isObject(error) ? error['message'] : error
  const text = typeof message === 'string' ? `${message}${cause(error)}` : body
  return text === '' ? '' : `: ${cut(text)}`
}

/** The innermost cause of a step's failure and its pod, where the runtime tells them (`data.stack`, `data.pod`). */
function cause(error: unknown): string {
  const data = isObject(error) ? error['data'] : undefined
  if (!isObject(data)) return ''
  const last = Array.isArray(data['stack']) ? data['stack'].at(-1) : undefined
  const text = isObject(last) && typeof last['error'] === 'string' ? `: ${last['error']}` : ''
  return typeof data['pod'] === 'string' ? `${text} (${data['pod']})` : text
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function cut(text: string): string {
  return text.length <= keptCharacters ? text : `${text.slice(0, keptCharacters)}…`
}
