// The checkers by name: one file and one line each.

import type { History } from '../../contracts/history.ts'
import type { CheckerResult } from '../../contracts/results.ts'
import { affinity } from './affinity.ts'
import { blastRadius } from './blast-radius.ts'
import { callbacksCross } from './callbacks-cross.ts'
import { type CheckContext, type Checker, runChecker } from './checker.ts'
import { correctValues } from './correct-values.ts'
import { fairness } from './fairness.ts'
import { noRunFailed } from './no-run-failed.ts'
import { noRunLost } from './no-run-lost.ts'
import { once } from './once.ts'

export type { CheckContext, Checker, Kill } from './checker.ts'

export const checkers = {
  'no-run-lost': noRunLost,
  'no-run-failed': noRunFailed,
  'callbacks-cross': callbacksCross,
  'correct-values': correctValues,
  once,
  affinity,
  'blast-radius': blastRadius,
  fairness,
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
