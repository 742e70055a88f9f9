// Checker in-flight-returns: the runtime's count of open runs is exact at every change, and zero at the end.

import { type Checker, Findings, hangs } from './checker.ts'

export const inFlightReturns: Checker = {
  name: 'in-flight-returns',
  claim:
    "the runtime's in-flight count goes up by one with each accepted run, down by one with each end, back to zero",
  check(history, context) {
    const findings = new Findings()
    const last = new Map<string, { readonly at: number; readonly inFlight: number }>()
    let most = 0
    for (const record of history) {
      if (record.kind === 'process.started') last.delete(record.pod)
      if (record.kind !== 'run.accepted' && record.kind !== 'run.ended') continue
      findings.examined++
      const { pod, at, runId, inFlight } = record
      const change = record.kind === 'run.accepted' ? 1 : -1
      const before = last.get(pod)?.inFlight ?? inFlight - change
      if (!Number.isInteger(inFlight) || inFlight < 0) {
        findings.violation(`${pod}: ${inFlight} in flight after ${record.kind} of ${runId}`)
      } else if (inFlight !== before + change) {
        findings.violation(`${pod}: from ${before} to ${inFlight} in flight by ${record.kind} of ${runId}`)
      }
      most = Math.max(most, inFlight)
      last.set(pod, { at, inFlight })
    }
    for (const [pod, { at, inFlight }] of last) {
      if (inFlight === 0 || context.kills.some((kill) => kill.pod === pod && kill.goneAt >= at)) continue
      const text = `${pod}: ${inFlight} in flight at the end`
      if (hangs(at, context)) findings.violation(text)
      else findings.cannotTell(text)
    }
    findings.summary = `${findings.examined} changes, at most ${most} in flight`
    return findings
  },
}
