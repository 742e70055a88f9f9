// Checker fairness: ready pods get even shares of the calls.

import { type Checker, Findings } from './checker.ts'
import { fairShares, jainIndex, readyIntervals } from './eligibility.ts'

const leastIndex = 0.98
/** With fewer calls a pod, chance alone moves the index. */
const leastCallsPerPod = 20

export const fairness: Checker = {
  name: 'fairness',
  claim: `calls are spread evenly over ready component-server pods (Jain's index at least ${leastIndex})`,
  check(history, { kills, settleUs }) {
    const findings = new Findings()
    const eligible = new Map(
      [...readyIntervals(history, 'component-server', kills)].map(([pod, intervals]) => [
        pod,
        intervals
          .map(({ from, until }) => ({ from: from + settleUs, until }))
          .filter((i) => i.until > i.from),
      ]),
    )
    const callsAt = new Map<string, number[]>()
    for (const record of history) {
      if (record.kind !== 'execute.received') continue
      const calls = callsAt.get(record.pod)
      if (calls === undefined) callsAt.set(record.pod, [record.at])
      else calls.push(record.at)
    }
    const shares = fairShares(eligible, callsAt).filter(({ expected }) => expected > 0)
    const index = jainIndex(shares)
    findings.examined = shares.reduce((sum, { calls }) => sum + calls, 0)
    if (index === null) return findings
    const spread = shares.map(({ pod, calls, expected }) => `${pod} ${calls} of ${expected.toFixed(1)} due`)
    findings.summary = `index ${index.toFixed(4)} over ${shares.length} pods: ${spread.join(', ')}`
    if (index < leastIndex) findings.violation(`index ${index.toFixed(4)} is under ${leastIndex}`)
    else if (shares.length < 2) findings.cannotTell('fewer than two pods were due any call')
    else if (findings.examined < leastCallsPerPod * shares.length) {
      findings.cannotTell(`fewer than ${leastCallsPerPod} calls a pod`)
    }
    return findings
  },
}
