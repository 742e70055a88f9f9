// Checker none-hangs: whatever began has ended, a deadline after its start and after the healing at the latest.

import { type Checker, Findings, type FullContext, hangs } from './checker.ts'
import { type Call, type Operations, operationsOf, processAt } from './operations.ts'

export const noneHangs: Checker = {
  name: 'none-hangs',
  claim: 'no arrival, run or component call is still open a deadline after its start and after the healing',
  check(history, context) {
    const findings = new Findings()
    const operations = operationsOf(history)
    const gone = podsGone(operations, history, context)
    const open = (at: number, text: string): void => {
      if (hangs(at, context)) findings.violation(text)
      else findings.cannotTell(`${text}, but not for long`)
    }
    for (const { request, offered, answers } of operations.offers.values()) {
      findings.examined++
      if (answers.length === 0 && offered !== undefined) open(offered.at, `${request}: offered, still open`)
    }
    for (const { runId, accepted, ended, steps } of operations.runs.values()) {
      if (accepted === undefined) continue
      findings.examined++
      if (ended.length > 0 || gone(accepted.pod, accepted.at)) continue
      const waiting = [...steps.values()].filter(({ results }) => results.length === 0).map((s) => s.stepId)
      open(
        accepted.at,
        `run ${runId}: accepted, still open, steps without result: ${waiting.join(', ') || 'none'}`,
      )
    }
    for (const call of operations.calls.values()) {
      for (const { pod, at } of openExecutions(operations, call)) {
        if (!gone(pod, at)) open(at, `call ${call.requestId}: executing at ${pod}, still open`)
      }
      findings.examined += call.executes.length
    }
    const { offers, runs } = operations
    findings.summary = `${offers.size} arrivals, ${runs.size} runs and ${operations.calls.size} calls, all ended`
    if (findings.violations + findings.unclear > 0) findings.summary = ''
    return findings
  },
}

function openExecutions({ processes }: Operations, { executes, executeAnswers }: Call) {
  return executes.filter(
    ({ pod, at }) =>
      !executeAnswers.some((answer) => answer.pod === pod && answer.at >= at) &&
      // Its process was replaced in place: nothing of it is left to hang.
      !processes.get(pod)?.some((process) => process.at > at),
  )
}

/** Tells whether the process that `pod` ran at a time has ended: then what was open in it is lost, not hanging. */
function podsGone(
  operations: Operations,
  history: Parameters<Checker['check']>[0],
  { kills }: FullContext,
): (pod: string, at: number) => boolean {
  const goneAt = new Map<string, number>()
  for (const record of history) {
    if (record.kind === 'pod.state' && record.phase === 'Gone') goneAt.set(record.pod, record.at)
  }
  return (pod, at) =>
    kills.some((kill) => kill.pod === pod && kill.goneAt >= at) ||
    (goneAt.get(pod) ?? Number.NEGATIVE_INFINITY) >= at ||
    processAt(operations, pod, at) !== processAt(operations, pod, Number.POSITIVE_INFINITY)
}
