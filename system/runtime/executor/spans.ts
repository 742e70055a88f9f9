// What the spans of runs and of their steps' attempts say when they end. Names are those of Stepflow 0.9.

import type { EndedSpan } from '../../program/spans.ts'
import { wallNow } from '../clock.ts'
import type { CallOutcome } from '../plugins/plugin.ts'
import type { Trace } from '../trace.ts'
import type { RunView } from './run-view.ts'

/** An attempt of a step that has ended, or a step that no route leads to. */
export interface EndedAttempt {
  readonly spanId: string
  readonly startedAt: number
  readonly stepId: string
  readonly item: number
  readonly attempt: number
  /** Its component runs elsewhere. */
  readonly remote: boolean
  readonly component: string
  readonly outcome: CallOutcome
}

/** The span of a run: under the span of the request, or of the step, that started it. */
export function runSpan(run: RunView, trace: Trace, spanId: string): EndedSpan {
  return {
    traceId: trace.traceId,
    spanId,
    parentId: trace.spanId,
    name: 'run_execution',
    kind: run.parentRunId === null ? 'server' : 'internal',
    startMs: run.createdAt,
    durationMs: (run.completedAt ?? run.createdAt) - run.createdAt,
    attributes: {
      run_id: run.id,
      parent_run_id: run.parentRunId,
      flow_id: run.plan.flow.id,
      item_count: run.inputs.length,
      status: run.status,
    },
    problem: run.status === 'completed' ? null : problemOf(run),
  }
}

/** The span of an attempt: under the run's; calls of a component carry its id. */
export function attemptSpan(run: RunView, trace: Trace, runSpanId: string, ended: EndedAttempt): EndedSpan {
  const { spanId, startedAt, stepId, item, attempt, remote, component, outcome } = ended
  return {
    traceId: trace.traceId,
    spanId,
    parentId: runSpanId,
    name: 'step',
    kind: remote ? 'client' : 'internal',
    startMs: startedAt,
    durationMs: wallNow() - startedAt,
    attributes: {
      run_id: run.id,
      flow_id: run.plan.flow.id,
      step_id: stepId,
      item,
      component,
      attempt,
      pod: podOf(outcome),
      'error.type': errorType(outcome),
    },
    problem: attemptProblem(outcome),
  }
}

/** The first item's failure, where it was one that ended the run. */
function problemOf(run: RunView): string {
  if (run.status === 'failed') {
    for (let item = 0; item < run.inputs.length; item++) {
      const outcome = run.outcome(item)
      if (outcome?.ok === false) return outcome.error.message
    }
  }
  return run.status
}

function podOf(outcome: CallOutcome): string | null {
  if (outcome.kind === 'failed') return null
  return (outcome.kind === 'success' ? outcome.pod : outcome.details.pod) ?? null
}

function errorType(outcome: CallOutcome): string | null {
  if (outcome.kind === 'success') return null
  return outcome.kind === 'failed' ? String(outcome.error.code) : (outcome.details.reason ?? 'broken')
}

function attemptProblem(outcome: CallOutcome): string | null {
  if (outcome.kind === 'success') return null
  return outcome.kind === 'failed'
    ? outcome.error.message
    : outcome.causes.map(({ error }) => error).join(': ')
}
