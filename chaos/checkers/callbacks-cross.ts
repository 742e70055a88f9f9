// Checker callbacks-cross: replies do come through other balancers than their calls, so affinity was put to the test.

import { type Checker, Findings } from './checker.ts'
import { operationsOf } from './operations.ts'

export const callbacksCross: Checker = {
  name: 'callbacks-cross',
  claim: 'some replies to callbacks come through another balancer than the call they belong to, and arrive',
  check(history) {
    const findings = new Findings()
    const { callbacks, calls } = operationsOf(history)
    const balancers = new Set<string>()
    let crossed = 0
    for (const { sent, resolved } of callbacks.values()) {
      const callVia = calls.get(sent[0]?.requestId ?? '')?.executes[0]?.via
      const replyVia = resolved[0]?.via
      if (callVia === undefined || replyVia === undefined) continue
      findings.examined++
      balancers.add(callVia).add(replyVia)
      if (callVia !== replyVia) crossed++
    }
    findings.summary = `${crossed} of ${findings.examined} replies crossed between ${balancers.size} balancers`
    // That none did is no fault of the system: it only proves nothing.
    if (findings.examined > 0 && crossed === 0) findings.cannotTell('no reply crossed')
    return findings
  },
}
