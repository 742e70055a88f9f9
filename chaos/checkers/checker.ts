// What a checker is: a pure function from a history to findings; and the rule that turns findings into a result.

import { type History, noAnswer, type Role, type RunAnswered } from '../../contracts/history.ts'
import type { CheckerResult } from '../../contracts/results.ts'

/** A pod ended on purpose. */
export interface Kill {
  readonly pod: string
  readonly role: Role
  /** µs of CLOCK_MONOTONIC at which it was requested. */
  readonly at: number
  /** When the process was seen to be gone; default `at` + 0.25 s. */
  readonly goneAt?: number
}

/** What the scenario knows and the history does not say. Times in µs. */
export interface CheckContext {
  /** Default none. */
  readonly kills?: readonly Kill[]
  /** When the history was read; default the time of its last record. */
  readonly collectedAt?: number
  /** When the last fault was gone; default long ago. */
  readonly healedAt?: number
  /** What is open so long after its start and the healing hangs; default 5 s. */
  readonly deadlineUs?: number
  /** How soon after a kill the calls on that pod must have failed; default 5 s. */
  readonly failWithinUs?: number
  /** The trial was interrupted: what the client gave up says nothing. Default false. */
  readonly interrupted?: boolean
  /** The client itself stood still: an answer that it gave up waiting for may have been there. Default false. */
  readonly clientStarved?: boolean
  /** Fairness begins to count a pod so long after it became ready; default 1 s. */
  readonly settleUs?: number
  /** How soon after a kill the replacement must be ready; default 30 s. */
  readonly replaceWithinUs?: number
  /** How soon balancers must have put a killed pod out, whose connections the kernel breaks at once; default 0.3 s. */
  readonly noticeWithinUs?: number
  /** How soon balancers must have put a leaving pod out, of which they hear by discovery; default 2 s. */
  readonly ejectWithinUs?: number
  /** The flows are a user's own: their steps may fail, and be tried again, by their own wish. Default false. */
  readonly ownFlow?: boolean
  /** Mean share of the machine that others had over a stretch, 0 to 1; null where it was not measured. */
  readonly othersShare?: (fromUs: number, untilUs: number) => number | null
}

/** A context with its defaults filled in. */
export interface FullContext extends Required<Omit<CheckContext, 'kills'>> {
  readonly kills: readonly Required<Kill>[]
}

export interface Checker {
  readonly name: string
  /** What must hold, in one sentence. */
  readonly claim: string
  check(history: History, context: FullContext): Findings
}

const keptExamples = 20

/** What a checker found while it looked. */
export class Findings {
  /** Operations looked at. */
  examined = 0
  violations = 0
  /** Operations of which it cannot be told. */
  unclear = 0
  /** Figures for the reason; what a pass is based on. */
  summary = ''
  readonly #violationExamples: string[] = []
  readonly #unclearExamples: string[] = []

  violation(text: string): void {
    this.violations++
    if (this.#violationExamples.length < keptExamples) this.#violationExamples.push(text)
  }

  cannotTell(text: string): void {
    this.unclear++
    if (this.#unclearExamples.length < keptExamples) this.#unclearExamples.push(text)
  }

  /** Violations first. */
  get examples(): readonly string[] {
    return [...this.#violationExamples, ...this.#unclearExamples].slice(0, keptExamples)
  }
}

/**
 * Runs one checker. Fail beats unknown beats pass; nothing examined is unknown, and so is a checker that throws.
 */
export function runChecker(checker: Checker, history: History, context: CheckContext = {}): CheckerResult {
  const base = { kind: 'checker', name: checker.name, claim: checker.claim } as const
  let findings: Findings
  try {
    findings = checker.check(history, fill(context, history))
  } catch (error) {
    return { ...base, outcome: 'unknown', reason: `the checker broke: ${String(error)}`, examined: 0 }
  }
  const { examined, violations, unclear, summary, examples } = findings
  const shown = examples.length === 0 ? {} : { examples }
  if (violations > 0) {
    const reason = `${violations} of ${examined} broke it${summary === '' ? '' : `; ${summary}`}`
    return { ...base, outcome: 'fail', reason, examined, ...shown }
  }
  if (unclear > 0) {
    const reason = `of ${examined}, ${unclear} cannot be told${summary === '' ? '' : `; ${summary}`}`
    return { ...base, outcome: 'unknown', reason, examined, ...shown }
  }
  if (examined === 0) return { ...base, outcome: 'unknown', reason: 'there was nothing to look at', examined }
  return { ...base, outcome: 'pass', reason: summary === '' ? `${examined} looked at` : summary, examined }
}

/**
 * A guard against proofs of nothing: passes when `count` reaches `least`, and is unknown, never a failure, when not.
 */
export function notVacuous(name: string, claim: string, count: number, least: number): CheckerResult {
  const outcome = count > 0 && count >= least ? 'pass' : 'unknown'
  return {
    kind: 'checker',
    name,
    claim,
    outcome,
    reason: `${count}, at least ${least} needed`,
    examined: count,
  }
}

function fill(context: CheckContext, history: History): FullContext {
  return {
    collectedAt: history.at(-1)?.at ?? 0,
    healedAt: 0,
    deadlineUs: 5_000_000,
    failWithinUs: 5_000_000,
    interrupted: false,
    clientStarved: false,
    settleUs: 1_000_000,
    replaceWithinUs: 30_000_000,
    noticeWithinUs: 300_000,
    ejectWithinUs: 2_000_000,
    ownFlow: false,
    othersShare: () => null,
    ...context,
    // A killed process may hold its sockets until it is reaped.
    kills: (context.kills ?? []).map((kill) => ({ goneAt: kill.at + 250_000, ...kill })),
  }
}

/** So long before a refusal probes may have gone without an answer, µs: three of them, a second each, and time to act. */
const probesUs = 5_000_000
/** Above this share of the machine taken by others, pods cannot answer probes in time, and connections are refused. */
export const starvedShare = 0.6

/**
 * Whether the client gave an arrival up for reasons that are none of the system's: the trial was interrupted (unknown
 * if it was sent, else refused), it waited in vain while it stood still itself, or others had
 * the machine.
 */
export function wasGivenUp(
  answer: Pick<RunAnswered, 'outcome' | 'error' | 'at'>,
  plannedAt: number | undefined,
  context: FullContext,
): boolean {
  if (answer.outcome === 'unknown' && answer.error?.startsWith(noAnswer) === true) {
    const waited = ownTime(plannedAt ?? answer.at, answer.at, context)
    if (context.clientStarved || waited < context.deadlineUs) return true
  }
  if (answer.outcome === 'unknown' || answer.outcome === 'refused') {
    const taken = context.othersShare(answer.at - probesUs, answer.at) ?? 0
    if (taken > starvedShare) return true
  }
  if (!context.interrupted || answer.outcome === 'completed') return false
  return answer.outcome === 'unknown' || answer.error === 'interrupted'
}

/** µs of a stretch in which the machine was the system's own: what others took does not count against it. */
export function ownTime(fromUs: number, untilUs: number, context: FullContext): number {
  return (untilUs - fromUs) * (1 - (context.othersShare(fromUs, untilUs) ?? 0))
}

/** Whether something open since `at` has hung: open a deadline after its start and after the healing. */
export function hangs(at: number, context: FullContext): boolean {
  const from = Math.max(at, context.healedAt)
  // By the clock first: it is cheap, and own time is never more.
  if (context.collectedAt - from < context.deadlineUs) return false
  return ownTime(from, context.collectedAt, context) >= context.deadlineUs
}

/** Judges that something took too long: no violation where others had the machine for so long that it need not have. */
export function late(
  stretch: { readonly fromUs: number; readonly untilUs: number; readonly limitUs: number },
  context: FullContext,
  findings: Findings,
  text: string,
): void {
  if (stretch.untilUs - stretch.fromUs <= stretch.limitUs) return
  if (ownTime(stretch.fromUs, stretch.untilUs, context) > stretch.limitUs) findings.violation(text)
  else findings.cannotTell(`${text}, while others had the machine`)
}

/** µs as text, e.g. `1.234 s`. */
export function seconds(us: number): string {
  return `${(us / 1e6).toFixed(3)} s`
}
