// The checkers by name: one file and one line each.

import type { History } from '../../contracts/history.ts'
import type { CheckerResult } from '../../contracts/results.ts'
import { affinity } from './affinity.ts'
import { blastRadius } from './blast-radius.ts'
import { callbacksCross } from './callbacks-cross.ts'
import { type CheckContext, type Checker, runChecker } from './checker.ts'
import { clientRuntimeAgree } from './client-runtime-agree.ts'
import { correctValues } from './correct-values.ts'
import { effects } from './effects.ts'
import { ejectedInTime } from './ejected-in-time.ts'
import { fairness } from './fairness.ts'
import { goodputReturns } from './goodput-returns.ts'
import { healthTrue } from './health-true.ts'
import { historyComplete } from './history-complete.ts'
import { inFlightReturns } from './in-flight-returns.ts'
import { killsLand } from './kills-land.ts'
import { noCrossTalk } from './no-cross-talk.ts'
import { noRunFailed } from './no-run-failed.ts'
import { noRunLost } from './no-run-lost.ts'
import { noneHangs } from './none-hangs.ts'
import { nothingLeaked } from './nothing-leaked.ts'
import { once } from './once.ts'
import { podReplaced } from './pod-replaced.ts'
import { streamsEnd } from './streams-end.ts'
import { trendsFlat } from './trends-flat.ts'

export type { CheckContext, Checker, Kill } from './checker.ts'
export { runChecker } from './checker.ts'

export const checkers = {
  'no-run-lost': noRunLost,
  'no-run-failed': noRunFailed,
  'none-hangs': noneHangs,
  'correct-values': correctValues,
  once,
  affinity,
  'callbacks-cross': callbacksCross,
  'no-cross-talk': noCrossTalk,
  'streams-end': streamsEnd,
  'blast-radius': blastRadius,
  'pod-replaced': podReplaced,
  fairness,
  'in-flight-returns': inFlightReturns,
  'client-runtime-agree': clientRuntimeAgree,
  effects,
  'nothing-leaked': nothingLeaked,
  'health-true': healthTrue,
  'ejected-in-time': ejectedInTime,
  'goodput-returns': goodputReturns,
  'history-complete': historyComplete,
  'kills-land': killsLand,
  'trends-flat': trendsFlat,
} as const satisfies Record<string, Checker>

export type CheckerName = keyof typeof checkers

/** Runs the named checkers over a history, in the order named. */
export function check(
  names: readonly CheckerName[],
  history: History,
  context: CheckContext = {},
): readonly CheckerResult[] {
  return names.map((name) => runChecker(checkers[name], history, context))
}
