// Checker streams-end: each stream ends complete or as a clear error; one whose pod was killed, soon after.

import { type Checker, Findings, type FullContext, hangs, late, seconds } from './checker.ts'
import { type Call, type Operations, operationsOf } from './operations.ts'

export const streamsEnd: Checker = {
  name: 'streams-end',
  claim:
    'every stream ends with the result that its pod gave or with a clear error, within the limit where its pod was killed',
  check(history, context) {
    const findings = new Findings()
    const operations = operationsOf(history)
    let complete = 0
    let failed = 0
    for (const call of operations.calls.values()) {
      if (!isStream(call) || call.sent === undefined) continue
      findings.examined++
      const result = call.results[0]
      if (result === undefined) {
        checkUnfinished(operations, call, context, findings)
        continue
      }
      if (result.outcome === 'success') {
        complete++
        if (!isAnsweredWell(call)) {
          findings.violation(`call ${call.requestId}: recorded as a success, which no pod answered`)
        }
      } else {
        failed++
        if (result.error === undefined || result.error.trim() === '') {
          findings.violation(`call ${call.requestId}: failed without an error`)
        }
      }
      const kill = killOf(call, context)
      if (kill !== undefined) {
        const text = `call ${call.requestId}: ended ${seconds(result.at - kill.at)} after the kill of its pod ${kill.pod}`
        const stretch = { fromUs: kill.at, untilUs: result.at, limitUs: context.failWithinUs }
        late(stretch, context, findings, text)
      }
    }
    findings.summary = `${findings.examined} streams: ${complete} complete, ${failed} failed clearly`
    return findings
  },
}

function isStream({ answered, executes }: Call): boolean {
  return answered.some(({ stream }) => stream) || executes.some(({ stream }) => stream)
}

/** Pods write execute.answered before the answer's bytes: a success without it was made up, or cut short. */
function isAnsweredWell({ executes, executeAnswers }: Call): boolean {
  return executes.length === 0 || executeAnswers.some(({ outcome }) => outcome === 'success')
}

/** Without a result: superseded by another attempt, ended with its run, lost with its runtime, or hanging. */
function checkUnfinished(
  { runs }: Operations,
  { requestId, sent }: Call,
  context: FullContext,
  findings: Findings,
): void {
  if (sent === undefined) return
  const run = runs.get(sent.runId)
  const retried = run?.calls.some(
    (other) =>
      other.sent?.stepId === sent.stepId &&
      other.sent.item === sent.item &&
      other.sent.attempt > sent.attempt,
  )
  const lost = context.kills.some((kill) => kill.pod === sent.pod && kill.goneAt >= sent.at)
  if (retried || lost || (run?.ended.length ?? 0) > 0) return
  const text = `call ${requestId}: its stream has neither result nor error`
  if (hangs(sent.at, context)) findings.violation(text)
  else findings.cannotTell(`${text} yet`)
}

/** The kill that hit the pod while it executed the call. */
function killOf({ executes, results }: Call, { kills }: FullContext) {
  return kills.find(
    (kill) =>
      executes.some(({ pod, at }) => pod === kill.pod && at <= kill.goneAt) &&
      (results[0]?.at ?? kill.at) >= kill.at,
  )
}
