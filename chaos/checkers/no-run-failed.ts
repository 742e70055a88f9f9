// Checker no-run-failed: every run that was offered completes. For trials in which nothing may be lost.

import { type Checker, Findings, wasGivenUp } from './checker.ts'
import { operationsOf } from './operations.ts'

export const noRunFailed: Checker = {
  name: 'no-run-failed',
  claim: 'every offered run completes: none fails, is refused or stays without an answer',
  check(history, context) {
    const findings = new Findings()
    const { offers } = operationsOf(history)
    for (const { request, answers } of offers.values()) {
      findings.examined++
      const { outcome, error, runId } = answers[0] ?? {
        outcome: 'unknown',
        error: 'never answered',
        runId: undefined,
      }
      if (outcome === 'completed') continue
      const text = `${request} (run ${runId ?? 'without id'}): ${outcome}: ${error ?? 'no reason'}`
      if (wasGivenUp({ outcome, error }, context)) findings.cannotTell(text)
      else findings.violation(text)
    }
    findings.summary = `${findings.examined - findings.violations - findings.unclear} of ${findings.examined} completed`
    return findings
  },
}
