// Checker correct-values: a completed run has the expected result, by value.

import { type Checker, Findings } from './checker.ts'
import { operationsOf } from './operations.ts'

export const correctValues: Checker = {
  name: 'correct-values',
  claim: 'every completed run whose result is known beforehand has exactly that result',
  check(history) {
    const findings = new Findings()
    for (const { request, answers } of operationsOf(history).offers.values()) {
      for (const { outcome, correct, runId, got } of answers) {
        if (outcome !== 'completed' || correct === undefined) continue
        findings.examined++
        if (!correct) findings.violation(`${request} (run ${runId ?? 'without id'}): got ${got ?? 'nothing'}`)
      }
    }
    findings.summary = `${findings.examined} results compared`
    return findings
  },
}
