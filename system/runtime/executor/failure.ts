// Failures of steps and items in the shapes of Stepflow: a flow error, with the chain of causes in its data.

import { arrayOf, type Json, objectOf, quote, toJson } from '../../wire/json.ts'

export interface FlowError {
  readonly code: number
  readonly message: string
  readonly data?: Json
}

/** One link of the chain of causes, outermost first. */
export interface Cause {
  readonly error: string
  readonly attachments?: readonly string[]
}

/** What a component call that broke says beside its causes; each goes into `data` where it is known. */
export interface BreakDetails {
  /** Instance id of the pod that had the call. */
  readonly pod?: string
  /** A word to match on: `refused`, `reset`, `ended-early`, `gone`, ... */
  readonly reason?: string
  /** The component server's own error: code, message and data. */
  readonly componentError?: Json
}

/** What became of an expression or a step. */
export type Outcome =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly error: FlowError }

/** The failure of a step whose component call broke. `component` is the plugin's own name of it. */
export function brokenStep(
  stepId: string,
  component: string,
  attempt: number,
  causes: readonly Cause[],
  details: BreakDetails = {},
  attachments: readonly string[] = [],
): FlowError {
  const message = `step "${stepId}" failed`
  const head: Cause = {
    error: message,
    attachments: [
      `Component: ${component}`,
      `Component execution failed for step '${stepId}'`,
      ...attachments,
    ],
  }
  return {
    code: 500,
    message,
    data: objectOf([
      ['stack', stackOf([head, ...causes])],
      ['step', quote(stepId)],
      ['attempt', toJson(attempt)],
      ['pod', details.pod === undefined ? undefined : quote(details.pod)],
      ['reason', details.reason === undefined ? undefined : quote(details.reason)],
      ['componentError', details.componentError],
    ]),
  }
}

/** The failure of a step that no route leads to, or whose route refuses it. */
export function unroutedStep(stepId: string, problem: string): FlowError {
  const causes: Cause[] = [
    { error: 'error routing component', attachments: [`Internal error executing step '${stepId}'`] },
    { error: 'invalid input' },
    { error: 'invalid input' },
    { error: problem },
  ]
  return { code: 500, message: 'error routing component', data: objectOf([['stack', stackOf(causes)]]) }
}

export function stackOf(causes: readonly Cause[]): Json {
  return arrayOf(
    causes.map(({ error, attachments }) =>
      objectOf([
        ['error', quote(error)],
        [
          'attachments',
          attachments === undefined || attachments.length === 0 ? undefined : toJson(attachments),
        ],
      ]),
    ),
  )
}

export function writeError(error: FlowError): Json {
  return objectOf([
    ['code', toJson(error.code)],
    ['message', quote(error.message)],
    ['data', error.data],
  ])
}

/** `{"outcome":"success","result":V}` or `{"outcome":"failed","error":E}`. */
export function writeOutcome(outcome: Outcome): Json {
  return (
    outcome.ok
      ? `{"outcome":"success","result":${outcome.value}}`
      : `{"outcome":"failed","error":${writeError(outcome.error)}}`
  ) as Json
}
