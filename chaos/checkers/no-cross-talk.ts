// Checker no-cross-talk: what belongs to one run never shows up in another.

import { type Checker, Findings } from './checker.ts'
import { operationsOf } from './operations.ts'

export const noCrossTalk: Checker = {
  name: 'no-cross-talk',
  claim: "no run gets another run's value, and each callback is read on the stream of the call that sent it",
  check(history) {
    const findings = new Findings()
    const { offers, calls, callbacks } = operationsOf(history)
    let values = 0
    for (const { request, answers } of offers.values()) {
      for (const { foreign, got, runId } of answers) {
        if (foreign === undefined) continue
        values++
        if (foreign) {
          findings.violation(
            `${request} (run ${runId ?? 'without id'}): got the value of another input: ${got ?? ''}`,
          )
        }
      }
    }
    for (const { callbackId, sent, received } of callbacks.values()) {
      const from = sent[0]
      if (from === undefined || sent.length > 1) continue
      for (const { requestId } of received) {
        values++
        if (requestId !== from.requestId) {
          findings.violation(
            `callback ${callbackId}: sent in call ${from.requestId}, read in call ${requestId}`,
          )
        }
      }
    }
    for (const { requestId, sent, executes } of calls.values()) {
      for (const { pod, runId, stepId } of executes) {
        if (sent === undefined || runId === undefined || stepId === undefined) continue
        values++
        if (runId !== sent.runId || stepId !== sent.stepId) {
          findings.violation(
            `call ${requestId}: sent for run ${sent.runId} step ${sent.stepId}, at ${pod} it was of run ${runId} step ${stepId}`,
          )
        }
      }
    }
    findings.examined = values
    findings.summary = `${values} values, callbacks and calls matched`
    return findings
  },
}
