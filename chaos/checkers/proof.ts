// Known answers: for each checker the smallest history that breaks its claim, and what it must say of it. A session asks
// them before it begins, so that a checker that reads nothing is found out while nothing depends on it.

import type { History } from '../../contracts/history.ts'
import type { Outcome } from '../../contracts/results.ts'
import { type CheckContext, type Checker, runChecker } from './checker.ts'
import type { CheckerName } from './index.ts'
import { aProcess, aRun, changed, historyOf, only, without, witnessed } from './sample-history.ts'

interface Question {
  readonly history: History
  readonly context?: CheckContext
  /** Default `fail`. */
  readonly answer?: Outcome
}

const late: CheckContext = { collectedAt: 60_000_000 }
const killOf = (pod: string): CheckContext => ({
  ...late,
  kills: [{ pod, role: 'component-server', at: 1_000_000, goneAt: 1_010_000 }],
})
const good = [...aProcess('pod-a'), ...aRun()]
const failed = changed(changed(aRun(), 'run.answered', { outcome: 'failed' }), 'run.ended', {
  status: 'failed',
})
const window = (at: number, name: string) =>
  witnessed('harness', 'harness', { at, kind: 'window', scenario: 's', window: name })
const usage = (at: number, phase: 'before' | 'after', open: number, ended: number) =>
  witnessed('harness', 'runtime-1', {
    ...{ at, kind: 'pod.usage', role: 'runtime', pod: 'runtime-1', phase },
    ...{ open: { 'runs in flight': open }, counted: { 'run.ended': ended } },
  })
const many = (tag: string, from: number, spoilt: boolean) =>
  Array.from({ length: 50 }, (_, index) => {
    const run = aRun({ id: `${tag}${index}`, at: from + index * 1_000 })
    return spoilt ? changed(run, 'run.answered', { outcome: 'failed' }) : run
  }).flat()

const questions: Readonly<Record<CheckerName, Question>> = {
  'no-run-lost': { history: historyOf(without(good, 'run.answered')), context: late },
  'no-run-failed': { history: historyOf(failed) },
  'none-hangs': { history: historyOf(without(good, 'run.answered', 'run.ended')), context: late },
  'correct-values': { history: historyOf(changed(good, 'run.answered', { correct: false })) },
  once: { history: historyOf(good, only(good, 'step.result')) },
  affinity: { history: historyOf(aProcess('pod-b'), good, strayReply()) },
  'callbacks-cross': {
    history: historyOf(
      changed(changed(good, 'execute.received', { via: 'lb-1' }), 'callback.resolved', { via: 'lb-1' }),
    ),
    answer: 'unknown',
  },
  'no-cross-talk': { history: historyOf(changed(good, 'run.answered', { foreign: true })) },
  'streams-end': { history: historyOf(without(good, 'execute.answered')) },
  'blast-radius': { history: historyOf(aProcess('pod-b'), failed), context: killOf('pod-b') },
  'pod-replaced': { history: historyOf(good), context: killOf('pod-a') },
  fairness: {
    history: historyOf(aProcess('pod-a'), aProcess('pod-b'), many('a', 2_000_000, false)),
  },
  'in-flight-returns': { history: historyOf(changed(good, 'run.ended', { inFlight: 1 })), context: late },
  'client-runtime-agree': { history: historyOf(changed(good, 'run.answered', { outcome: 'failed' })) },
  effects: {
    history: historyOf(
      good,
      only(aRun({ id: '2' }), 'call.sent', 'execute.received').map((record) =>
        record.kind === 'call.sent' ? { ...record, runId: 'r1' } : record,
      ),
    ),
  },
  'nothing-leaked': { history: historyOf(usage(0, 'before', 0, 0), good, usage(9_000, 'after', 1, 1)) },
  'health-true': {
    history: historyOf(
      good,
      witnessed('component-server', 'pod-a', { at: 2_000, kind: 'process.stopping', reason: 'SIGTERM' }),
      witnessed('harness', 'pod-a', {
        ...{ at: 9_000_000, kind: 'pod.health', role: 'component-server', pod: 'pod-a', says: 'ready' },
      }),
    ),
  },
  'ejected-in-time': {
    history: historyOf(
      good,
      witnessed('balancer', 'lb-1', {
        ...{ at: 500, kind: 'backend.state', backend: 'a:1', instanceId: 'pod-a-1', state: 'ready' },
      }),
    ),
    context: killOf('pod-a'),
  },
  'goodput-returns': {
    history: historyOf(
      window(0, 'control'),
      many('a', 1_000, false),
      window(1_000_000, 'recovery'),
      many('b', 1_001_000, true),
    ),
  },
  'trends-flat': { history: historyOf(good, growing()) },
  'history-complete': { history: historyOf(usage(0, 'before', 0, 0), good, usage(9_000, 'after', 0, 2)) },
  'kills-land': { history: historyOf(aProcess('pod-a'), aRun({ at: 5_000_000 })), context: killOf('pod-a') },
}

/** A reading each second of a heap that grows by 1 MiB a second. */
function growing() {
  return Array.from({ length: 100 }, (_, second) =>
    witnessed('harness', 'pod-a', {
      ...{ at: second * 1e6, kind: 'pod.usage', role: 'component-server', pod: 'pod-a', phase: 'during' },
      ...{ open: {}, heapBytes: second * 2 ** 20 },
    }),
  ).flat()
}

/** A reply that reached another pod than the one that asked. */
function strayReply() {
  return witnessed('component-server', 'pod-b', {
    ...{ at: 1_085, kind: 'callback.resolved', callbackId: 'b1', roundTripUs: 30, outcome: 'result' },
  })
}

/** One line for each checker that gives a wrong answer; `checkers` is the registry. */
export function checkerProblems(checkers: Readonly<Record<CheckerName, Checker>>): readonly string[] {
  return (Object.entries(questions) as [CheckerName, Question][]).flatMap(
    ([name, { history, context = {}, answer = 'fail' }]) => {
      const broken = runChecker(checkers[name], history, context).outcome
      const sound = runChecker(checkers[name], historyOf(good), late).outcome
      return [
        ...(broken === answer ? [] : [`${name}: says ${broken} of a history that breaks its claim`]),
        ...(sound === 'fail' ? [`${name}: says fail of a history in which all is well`] : []),
      ]
    },
  )
}
