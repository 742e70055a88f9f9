// Checker no-run-lost: whatever was offered has an answer, and whatever was accepted has an end.

import { type Checker, Findings, type FullContext, hangs, wasGivenUp } from './checker.ts'
import { operationsOf } from './operations.ts'

export const noRunLost: Checker = {
  name: 'no-run-lost',
  claim: 'every offered run is answered with its outcome, and every accepted run ends',
  check(history, context) {
    const findings = new Findings()
    const { offers, runs, witnesses } = operationsOf(history)
    let refused = 0
    let explained = 0
    for (const { request, offered, answers } of offers.values()) {
      findings.examined++
      const answer = answers[0]
      if (answer === undefined) {
        // The client writes its last word at the end of its load at the latest.
        if (context.interrupted) findings.cannotTell(`${request}: no answer, the trial was interrupted`)
        else findings.violation(`${request}: offered and never answered`)
        continue
      }
      if (answer.outcome === 'refused') refused++
      if (answer.outcome === 'unknown') {
        const text = `${request}: outcome unknown: ${answer.error ?? 'no reason'}`
        if (runtimeKilledBetween(offered?.planned ?? answer.at, answer.at, context)) explained++
        else if (wasGivenUp(answer, offered?.planned, context)) findings.cannotTell(text)
        else findings.violation(text)
      }
      if (answer.runId !== undefined && witnesses.has('runtime') && !runs.get(answer.runId)?.accepted) {
        findings.violation(`${request}: answered as run ${answer.runId}, which the runtime never accepted`)
      }
    }
    for (const { runId, accepted, ended } of runs.values()) {
      if (accepted === undefined || ended.length > 0) continue
      findings.examined++
      if (runtimeKilledBetween(accepted.at, context.collectedAt, context, accepted.pod)) explained++
      else if (hangs(accepted.at, context)) findings.violation(`run ${runId}: accepted and never ended`)
      else findings.cannotTell(`run ${runId}: accepted, not ended when the history was read`)
    }
    const notes = [
      ...(refused === 0 ? [] : [`${refused} refused`]),
      ...(explained === 0 ? [] : [`${explained} lost with a killed runtime`]),
    ]
    findings.summary = `${offers.size} offered, ${runs.size} accepted${notes.map((note) => `, ${note}`).join('')}`
    return findings
  },
}

/** Runs live in the memory of the runtime: its end takes them along. */
function runtimeKilledBetween(from: number, until: number, { kills }: FullContext, pod?: string): boolean {
  return kills.some(
    (kill) =>
      kill.role === 'runtime' && kill.goneAt >= from && kill.at <= until && (pod ?? kill.pod) === kill.pod,
  )
}
