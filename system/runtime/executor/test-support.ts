// What the executor's tests share: an executor whose only plugin is a function of theirs.

import { type HistoryWriter, noHistory } from '../../program/history.ts'
import { type Flow, parseFlow } from '../../wire/flow.ts'
import { type Json, parseJson, toJson } from '../../wire/json.ts'
import { createMetrics } from '../metrics.ts'
import type { CallOutcome, Plugin, StepCall } from '../plugins/plugin.ts'
import { createRouter } from '../plugins/router.ts'
import { createRunStore } from '../store/runs.ts'
import { createExecutor, type Executor, type ExecutorParts, type Submission } from './executor.ts'
import type { Run } from './run.ts'

export type Component = (call: StepCall) => CallOutcome | Promise<CallOutcome>

/** Every path leads to `component`; `call.component` tells which it was. */
export function testExecutor(
  component: Component,
  history: HistoryWriter = noHistory,
  limits: Partial<ExecutorParts> = {},
): Executor {
  const plugin: Plugin = {
    start: async () => {},
    execute: component,
    components: async () => [],
    close: async () => {},
  }
  const rule = { plugin: 'test', component: null, allow: null, deny: null, timeouts: {}, conditions: [] }
  const router = createRouter([{ pattern: '/{*component}', rules: [rule] }], new Map([['test', plugin]]))
  const store = createRunStore({ maxRuns: 1000, maxAgeMs: 60_000, maxBytes: 1e9 })
  return createExecutor({
    ...{ router, store, history, metrics: createMetrics(), maxActiveRuns: 100, maxWaitingRuns: 100 },
    ...limits,
  })
}

/** A flow from a JavaScript value. */
export function flowOf(document: unknown): Flow {
  return parseFlow(parseJson(JSON.stringify(document)))
}

/** Runs a flow to its end. */
export async function runFlow(
  executor: Executor,
  document: unknown,
  inputs: readonly unknown[] = [null],
  more: Partial<Submission> = {},
): Promise<Run> {
  const run = executor.submit({ flow: flowOf(document), inputs: inputs.map(toJson), ...more })
  await new Promise<void>((resolve) => run.whenEnded(resolve))
  return run
}

export function success(value: unknown): CallOutcome {
  return { kind: 'success', value: toJson(value) }
}

/** The component that returns its input. */
export const echo: Component = (call) => ({ kind: 'success', value: call.input })

/** Results of all items as JavaScript values: the value, or the error under `error`. */
export function resultsOf(run: Run): unknown[] {
  return run.inputs.map((_, item) => {
    const outcome = run.outcome(item)
    if (outcome === undefined) return undefined
    return outcome.ok ? JSON.parse(outcome.value as Json) : { error: outcome.error }
  })
}
