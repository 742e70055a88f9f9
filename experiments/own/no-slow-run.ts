// A checker of one's own: no run takes longer than so much, by the runtime's own records.

import { type Checker, Findings } from '../../chaos/sdk.ts'

const mostUs = 3_000_000

export const checker: Checker = {
  name: 'no-slow-run',
  claim: 'No run takes longer than 3 s from its acceptance to its end',
  check(history) {
    const findings = new Findings()
    const acceptedAt = new Map<string, number>()
    for (const record of history) {
      if (record.kind === 'run.accepted') acceptedAt.set(record.runId, record.at)
      if (record.kind !== 'run.ended') continue
      findings.examined++
      const us = record.at - (acceptedAt.get(record.runId) ?? record.at)
      if (us > mostUs) findings.violation(`run ${record.runId}: ${(us / 1e6).toFixed(1)} s`)
    }
    findings.summary = `${findings.examined} runs, none longer than ${mostUs / 1e6} s`
    return findings
  },
}
