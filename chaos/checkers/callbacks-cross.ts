// Checker callbacks-cross: replies to callbacks also come through another balancer than their stream's, so that
// affinity is proved between balancers and not only within one. Without such replies nothing is proved: unknown.

import { type Checker, Findings } from './checker.ts'
import { operationsOf } from './operations.ts'

export const callbacksCross: Checker = {
  name: 'callbacks-cross',
  claim: 'replies reach their pod also through another balancer than the one that opened the stream',
  check(history) {
    const findings = new Findings()
    const { calls, callbacks } = operationsOf(history)
    const balancers = new Set<string>()
    let crossed = 0
    for (const { sent, resolved } of callbacks.values()) {
      const stream = calls.get(sent[0]?.requestId ?? '')?.executes[0]?.via
      const reply = resolved[0]?.via
      if (stream === undefined || reply === undefined) continue
      findings.examined++
      balancers.add(stream).add(reply)
      if (stream !== reply) crossed++
    }
    findings.summary = `${crossed} of ${findings.examined} replies crossed between ${balancers.size} balancers`
    if (findings.examined > 0 && crossed === 0) findings.cannotTell('no reply crossed')
    return findings
  },
}
