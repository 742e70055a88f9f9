// Runs as the wire shows them: the summary, the details, items, steps, and the status that components get.

import { arrayOf, type Json, objectOf, quote, toJson } from '../../wire/json.ts'
import { writeTime } from '../clock.ts'
import { writeOutcome } from '../executor/failure.ts'
import type { RunView } from '../executor/run-view.ts'

/** The answer to POST /runs; the result stands in it when there is one item. */
export function writeCreated(run: RunView): string {
  const outcome = run.inputs.length === 1 ? run.outcome(0) : undefined
  const result = outcome === undefined ? '' : `,"result":${writeOutcome(outcome)}`
  return `{"runId":"${run.id}","itemCount":${run.inputs.length}${result},"status":"${run.status}"}`
}

export interface ItemCounts {
  total: number
  completed: number
  running: number
  failed: number
  cancelled: number
}

export function countItems(run: RunView): ItemCounts {
  const counts: ItemCounts = { total: run.inputs.length, completed: 0, running: 0, failed: 0, cancelled: 0 }
  for (let item = 0; item < run.inputs.length; item++) counts[itemStatus(run, item)]++
  return counts
}

function itemStatus(run: RunView, item: number): 'completed' | 'running' | 'failed' | 'cancelled' {
  const outcome = run.outcome(item)
  if (outcome !== undefined) return outcome.ok ? 'completed' : 'failed'
  return run.status === 'completed' ? 'running' : run.status
}

function summaryFields(run: RunView): [string, Json | undefined][] {
  const { flow } = run.plan
  return [
    ['runId', quote(run.id)],
    ['flowId', quote(flow.id)],
    ['flowName', toJson(flow.name)],
    ['status', quote(run.status)],
    ['items', toJson(countItems(run))],
    ['createdAt', quote(writeTime(run.createdAt))],
    ['completedAt', toJson(run.completedAt === null ? null : writeTime(run.completedAt))],
    ['rootRunId', quote(run.rootRunId)],
    ['parentRunId', run.parentRunId === null ? undefined : quote(run.parentRunId)],
  ]
}

export function writeSummary(run: RunView): Json {
  return objectOf(summaryFields(run))
}

export function writeDetails(run: RunView): Json {
  return objectOf([
    ...summaryFields(run),
    ['inputs', arrayOf(run.inputs)],
    ['overrides', run.overrides ?? undefined],
  ])
}

/** Indices of the items by the time they ended, unfinished ones last. */
function byCompletion(run: RunView): number[] {
  const indices = run.inputs.map((_, item) => item)
  const at = (item: number): number => run.endedAt(item) ?? Number.POSITIVE_INFINITY
  return indices.sort((a, b) => (at(a) === at(b) ? a - b : at(a) - at(b)))
}

function writeItemList(run: RunView, order: readonly number[]): Json {
  return arrayOf(
    order.map((item) => {
      const outcome = run.outcome(item)
      const at = run.endedAt(item)
      return objectOf([
        ['itemIndex', toJson(item)],
        ['status', quote(itemStatus(run, item))],
        ['result', outcome === undefined ? undefined : writeOutcome(outcome)],
        ['completedAt', at === undefined ? undefined : quote(writeTime(at))],
      ])
    }),
  )
}

export function writeItems(run: RunView): Json {
  return objectOf([
    ['itemCount', toJson(run.inputs.length)],
    ['items', writeItemList(run, [...run.inputs.keys()])],
  ])
}

/** Steps keep the component and the id of the flow, whatever overrides made of them. */
export function writeSteps(run: RunView): Json {
  const steps = run.plan.flow.steps.map((step, index): [string, Json] => {
    const outcome = run.stepOutcome(index)
    return [
      step.id,
      objectOf([
        ['stepId', quote(step.id)],
        ['component', quote(step.component)],
        ['status', quote(run.stepStatus(index))],
        ['result', outcome === undefined ? undefined : writeOutcome(outcome)],
      ]),
    ]
  })
  return objectOf([['steps', objectOf(steps)]])
}

/** RunStatus, as callbacks answer it; its own times end in `+00:00`. */
export function writeRunStatus(run: RunView, results: 'none' | 'by_index' | 'by_completion'): Json {
  const { flow } = run.plan
  const order = results === 'by_completion' ? byCompletion(run) : [...run.inputs.keys()]
  return objectOf([
    ['runId', quote(run.id)],
    ['flowId', quote(flow.id)],
    ['flowName', flow.name === null ? undefined : quote(flow.name)],
    ['status', quote(run.status)],
    ['items', toJson(countItems(run))],
    ['createdAt', quote(writeTime(run.createdAt, '+00:00'))],
    ['completedAt', run.completedAt === null ? undefined : quote(writeTime(run.completedAt, '+00:00'))],
    ['results', results === 'none' ? undefined : writeItemList(run, order)],
  ])
}
