// Checker no-run-failed: every run that was offered completed; for trials in which nothing may be lost.

import { type Checker, Findings } from './checker.ts'
import { operationsOf } from './operations.ts'

export const noRunFailed: Checker = {
  name: 'no-run-failed',
  claim: 'every run that was offered completes',
  check(history, { interrupted }) {
    const findings = new Findings()
    for (const { request, offered, answers } of operationsOf(history).offers.values()) {
      if (offered === undefined) continue
      findings.examined++
      const [answer] = answers
      if (answer === undefined) findings.cannotTell(`${request}: no answer yet`)
      else if (interrupted && answer.error === 'interrupted') findings.cannotTell(`${request}: interrupted`)
      else if (answer.outcome !== 'completed') {
        const run = answer.runId === undefined ? '' : ` (run ${answer.runId})`
        findings.violation(`${request}${run}: ${answer.outcome}: ${answer.error ?? 'no reason'}`)
      }
    }
    findings.summary = `${findings.examined} runs offered`
    return findings
  },
}
