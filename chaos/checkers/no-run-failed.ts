// Checker no-run-failed: every run that was offered completes. For trials in which nothing may be lost.

import { type Checker, Findings, wasGivenUp } from './checker.ts'
import { operationsOf } from './operations.ts'

export const noRunFailed: Checker = {
  name: 'no-run-failed',
  claim: 'every offered run completes: none fails, is refused or stays without an answer',
  check(history, context) {
    const findings = new Findings()
    const { offers } = operationsOf(history)
    for (const { request, offered, answers } of offers.values()) {
      findings.examined++
      const [answer] = answers
      if (answer?.outcome === 'completed') continue
      const said =
        answer === undefined ? 'never answered' : `${answer.outcome}: ${answer.error ?? 'no reason'}`
      const text = `${request} (run ${answer?.runId ?? 'without id'}): ${said}`
      const excused =
        answer === undefined ? context.interrupted : wasGivenUp(answer, offered?.planned, context)
      if (excused) findings.cannotTell(text)
      else findings.violation(text)
    }
    findings.summary = `${findings.examined - findings.violations - findings.unclear} of ${findings.examined} completed`
    return findings
  },
}
