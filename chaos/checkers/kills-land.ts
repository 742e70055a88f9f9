// Checker kills-land: a killed pod is dead. A fault that did not happen proves nothing about what follows.

import { type Checker, Findings, seconds } from './checker.ts'

/** A write that was under way may be seen a moment after the process was, µs. */
const slackUs = 50_000

export const killsLand: Checker = {
  name: 'kills-land',
  claim: 'nothing is on record of a killed process from after its end',
  check(history, { kills }) {
    const findings = new Findings()
    for (const kill of kills) {
      findings.examined++
      const next = history.find(
        (record) => record.kind === 'process.started' && record.pod === kill.pod && record.at > kill.at,
      )
      const alive = history.filter(
        ({ pod, witness, at }) =>
          pod === kill.pod &&
          witness === kill.role &&
          at > kill.goneAt + slackUs &&
          at < (next?.at ?? Number.POSITIVE_INFINITY),
      )
      const last = alive.at(-1)
      if (last === undefined) continue
      findings.violation(
        `${kill.pod}: said to be dead, and has ${alive.length} records until ${seconds(last.at - kill.goneAt)} after that`,
      )
    }
    findings.summary = `${kills.length} killed, none heard of again`
    return findings
  },
}
