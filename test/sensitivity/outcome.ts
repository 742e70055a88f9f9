// What a trial with a planted defect came to.

import { exitCodes } from '../../contracts/exit-codes.ts'
import type { Defect } from '../defects/index.ts'
import type { TrialEntry } from './ledger.ts'

/** `broken`: the trial itself ended without a verdict, and no checker found anything. */
export type Outcome = 'caught' | 'caught by others' | 'missed' | 'INVALID' | 'broken'

/** The checkers that failed, each once, without the window that some name in parentheses. */
export function caughtBy({ verdict, failed }: Pick<TrialEntry, 'verdict' | 'failed'>): readonly string[] {
  return verdict === 'ERROR' ? [] : [...new Set(failed.map(({ name }) => name.replace(/ \(.*\)$/, '')))]
}

/** An INVALID is no catch, nor is a trial that broke. */
export function outcomeOf(
  { checker }: Pick<Defect, 'checker'>,
  entry: Pick<TrialEntry, 'verdict' | 'failed' | 'code'>,
): Outcome {
  const by = caughtBy(entry)
  if (by.includes(checker)) return 'caught'
  if (by.length > 0) return 'caught by others'
  if (entry.code === exitCodes.invalid) return 'INVALID'
  return entry.code === exitCodes.harness || entry.verdict === 'ERROR' ? 'broken' : 'missed'
}
