// A planted defect: a change to the text of one file of the system or the harness, made when a program loads that file.

import type { CheckerName } from '../../chaos/checkers/index.ts'
import type { Role } from '../../contracts/history.ts'

/** A piece of the file that must stand there exactly once, and what replaces it. */
export interface Edit {
  readonly find: string
  readonly replace: string
}

/** What the harness checks beside the history: itself, and what no history shows. */
export type HarnessCheck = 'judges-awake' | 'load-true' | 'report-true' | 'items-in-order'

export interface Defect {
  /** The program that has it; `harness` is the process that offers load and judges. */
  readonly role: Role | 'harness'
  /** The file it is in, from the project's root. */
  readonly file: string
  /** What is wrong, in one sentence. */
  readonly what: string
  /** Written by someone who had not read the checkers, from the programs' code alone. */
  readonly blind?: true
  /** The checker that must catch it. Others may, too. */
  readonly checker: CheckerName | HarnessCheck
  /** A scenario whose load and faults bring it out, by name, or an experiment of this folder's `experiments/`. */
  readonly scenario:
    | 'smoke'
    | 'affinity'
    | 'throughput'
    | 'overhead'
    | 'kill-mid-sse'
    | 'scale'
    | 'soak'
    | ExperimentFile
  /** A defect of the system planted as well, by its name: what a defect of the harness hides must be there. */
  readonly beside?: string
  readonly edits: readonly [Edit, ...Edit[]]
  /** What another program must do for it to come out: no defect by itself, since the protocol allows it. */
  readonly also?: Change
}

export type ExperimentFile = `${string}.yaml`

/** Edits of one file of one program. */
export type Change = Pick<Defect, 'role' | 'file' | 'edits'>

/**
 * The file's text with the defect in it.
 * @throws Error where the code it changes has moved: a defect that is not there proves nothing
 */
export function plantIn(source: string, { file, edits }: Pick<Defect, 'file' | 'edits'>): string {
  let text = source
  for (const { find, replace } of edits) {
    const count = text.split(find).length - 1
    if (count !== 1) {
      throw new Error(`${file}: the code to change stands there ${count} times, not once:\n${find}`)
    }
    text = text.replace(find, () => replace)
  }
  return text
}

/** Makes an expression that is true for each `every`th time it is asked, from the first such time on. */
export function eachTime(every: number): string {
  return `((globalThis.defectCount = (globalThis.defectCount ?? 0) + 1) % ${every} === 0)`
}
