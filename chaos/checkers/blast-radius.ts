// Checker blast-radius: a kill costs only the runs that had a step on the killed pod, and those soon and clearly.

import { type Checker, Findings, type FullContext, hangs, late, seconds, wasGivenUp } from './checker.ts'
import { type Call, operationsOf, type Run } from './operations.ts'

type FullKill = FullContext['kills'][number]

export const blastRadius: Checker = {
  name: 'blast-radius',
  claim:
    'only runs that had a step on a killed pod fail, each within the limit and with a clear error; every other run succeeds with the right value',
  check(history, context) {
    const findings = new Findings()
    const operations = operationsOf(history)
    if (context.kills.length === 0) {
      findings.cannotTell('no pod was killed')
      return findings
    }
    let affected = 0
    let failed = 0
    for (const { request, offered, answers } of operations.offers.values()) {
      const answer = answers[0]
      if (answer === undefined || answer.runId !== undefined) continue
      // Without a run there is no step on any pod.
      findings.examined++
      const text = `${request}: ${answer.outcome}: ${answer.error ?? 'no reason'}, and no run of it is known`
      if (wasGivenUp(answer, offered?.planned, context)) findings.cannotTell(text)
      else if (answer.outcome !== 'completed' && !runtimeKilled(context, answer.at)) findings.violation(text)
    }
    for (const run of operations.runs.values()) {
      findings.examined++
      const kill = context.kills.find((candidate) => hits(candidate, run))
      if (kill !== undefined) affected++
      const end = run.ended[0]
      if (end?.status === 'completed') continue
      if (end === undefined && run.accepted !== undefined && !hangs(run.accepted.at, context)) {
        findings.cannotTell(`run ${run.runId}: not ended when the history was read`)
        continue
      }
      failed++
      if (kill === undefined) {
        findings.violation(`run ${run.runId}: ${end?.status ?? 'not ended'}, with no step on a killed pod`)
      } else if (kill.role !== 'runtime') checkFailure(run, kill, context, findings)
    }
    for (const { request, answers } of operations.offers.values()) {
      const [answer] = answers
      if (answer?.correct === false) {
        findings.violation(
          `${request} (run ${answer.runId ?? 'without id'}): wrong value ${answer.got ?? ''}`,
        )
      }
    }
    const pods = context.kills.map(({ pod }) => pod).join(', ')
    findings.summary = `${operations.runs.size} runs, ${affected} with a step on ${pods}, ${failed} failed`
    if (affected === 0) findings.cannotTell('no run had a step on a killed pod')
    return findings
  },
}

function checkFailure(run: Run, kill: FullKill, context: FullContext, findings: Findings): void {
  const end = run.ended[0]
  if (end === undefined) {
    findings.violation(`run ${run.runId}: had a step on ${kill.pod} and never ended`)
    return
  }
  const text = `run ${run.runId}: failed ${seconds(end.at - kill.at)} after the kill of ${kill.pod}`
  late({ fromUs: kill.at, untilUs: end.at, limitUs: context.failWithinUs }, context, findings, text)
  const failures = [...run.steps.values()].flatMap(({ results }) =>
    results.filter((r) => r.outcome === 'failed'),
  )
  if (failures.length === 0) findings.violation(`run ${run.runId}: ${end.status} without a failed step`)
  for (const { stepId, error } of failures) {
    if (error === undefined || error.trim() === '') {
      findings.violation(`run ${run.runId} step ${stepId}: failed without an error`)
    }
  }
}

/** Whether the kill may excuse the run's failure. */
function hits(kill: FullKill, run: Run): boolean {
  if (kill.role === 'runtime') {
    const { accepted, ended } = run
    return accepted !== undefined && accepted.at <= kill.goneAt && (ended[0]?.at ?? kill.at) >= kill.at
  }
  return run.calls.some((call) => isOpen(call, kill) && (kill.role === 'balancer' || isOn(call, kill.pod)))
}

/** Sent before the pod was gone, and without a result when it was killed. */
function isOpen({ sent, results }: Call, kill: FullKill): boolean {
  return sent !== undefined && sent.at <= kill.goneAt && (results[0]?.at ?? kill.at) >= kill.at
}

/**
 * The pod recorded the call; or no pod did: then it may have stood in the killed pod's socket, unread. Calls sent
 * once the pod is gone are refused before a byte is written, so a balancer can and must send them elsewhere.
 */
function isOn({ executes }: Call, pod: string): boolean {
  return executes.length === 0 || executes.some((execute) => execute.pod === pod)
}

function runtimeKilled({ kills }: FullContext, at: number): boolean {
  return kills.some((kill) => kill.role === 'runtime' && kill.at <= at)
}
