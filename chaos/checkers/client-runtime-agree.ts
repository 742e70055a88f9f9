// Checker client-runtime-agree: what the client was told is what the runtime has on record.

import { type Checker, Findings } from './checker.ts'
import { operationsOf } from './operations.ts'

export const clientRuntimeAgree: Checker = {
  name: 'client-runtime-agree',
  claim: 'the outcome that the client was told of a run is the one that the runtime recorded, before it told',
  check(history, { kills }) {
    const findings = new Findings()
    const { offers, runs } = operationsOf(history)
    const clients = new Map<string, string>()
    for (const { request, answers } of offers.values()) {
      for (const { runId, outcome, at } of answers) {
        if (runId === undefined) continue
        findings.examined++
        const other = clients.get(runId)
        if (other !== undefined) findings.violation(`run ${runId}: told to ${other} and to ${request}`)
        clients.set(runId, request)
        const run = runs.get(runId)
        const end = run?.ended[0]
        if (end === undefined) {
          const killed = kills.some(
            ({ role, goneAt }) => role === 'runtime' && goneAt >= (run?.accepted?.at ?? 0),
          )
          // The end is recorded before the answer's bytes leave, so not even a kill loses it.
          const text = `${request}: told ${outcome}, and run ${runId} has no end on record`
          if (killed && run?.accepted === undefined) findings.cannotTell(text)
          else findings.violation(text)
        } else if ((outcome === 'completed') !== (end.status === 'completed')) {
          findings.violation(`${request}: told ${outcome}, run ${runId} is on record as ${end.status}`)
        } else if (end.at > at) {
          findings.violation(`${request}: told ${outcome} before the end of run ${runId} was on record`)
        }
      }
    }
    findings.summary = `${findings.examined} answers compared with the runtime's records`
    return findings
  },
}
