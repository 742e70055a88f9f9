// Checker affinity: the reply to a callback reaches the process that sent the callback, by that process's own record.

import { type Checker, Findings } from './checker.ts'
import { type Call, type Callback, type Operations, operationsOf, processAt } from './operations.ts'

export const affinity: Checker = {
  name: 'affinity',
  claim: 'every reply to a callback reaches the very process that opened its stream, and no other',
  check(history) {
    const findings = new Findings()
    const operations = operationsOf(history)
    let late = 0
    for (const callback of operations.callbacks.values()) {
      const { callbackId, sent, resolved, foreign } = callback
      if (new Set(sent.map(({ pod }) => pod)).size > 1) {
        findings.cannotTell(`callback ${callbackId}: several pods used this id`)
        continue
      }
      findings.examined += resolved.length + foreign.length
      for (const { pod, at } of resolved) {
        const from = sent[0]
        if (from === undefined) {
          findings.violation(`callback ${callbackId}: resolved at ${pod}, and nobody sent it`)
        } else if (from.pod !== pod) {
          findings.violation(`callback ${callbackId}: sent by ${from.pod}, resolved at ${pod}`)
        } else if (processAt(operations, pod, from.at) !== processAt(operations, pod, at)) {
          findings.violation(`callback ${callbackId}: resolved at ${pod} by a later process than its sender`)
        }
      }
      if (resolved.length > 1) findings.violation(`callback ${callbackId}: resolved ${resolved.length} times`)
      for (const reply of foreign) {
        if (isLate(operations, callback, reply.pod, reply.at)) late++
        else {
          const sender = sent[0]?.pod ?? 'nobody known'
          const pinned = reply.pinned === undefined ? 'no instance id' : `instance id ${reply.pinned}`
          findings.violation(
            `callback ${callbackId}: sent by ${sender}, its reply reached ${reply.pod} with ${pinned}`,
          )
        }
      }
      checkEcho(operations, callback, findings)
    }
    const pods = new Set([...operations.callbacks.values()].flatMap((c) => c.resolved.map(({ pod }) => pod)))
    findings.summary =
      `${findings.examined} replies to callbacks of ${pods.size} pods` +
      (late === 0 ? '' : `, ${late} of them after their call had ended`)
    return findings
  },
}

/** The right process got the reply, but its call had ended: too late, not misled. */
function isLate(operations: Operations, { sent, resolved }: Callback, pod: string, at: number): boolean {
  const from = sent[0]
  if (from === undefined || resolved.length > 0 || from.pod !== pod) return false
  if (processAt(operations, pod, from.at) !== processAt(operations, pod, at)) return false
  const call = operations.calls.get(from.requestId)
  return call?.executeAnswers.some((answer) => answer.pod === pod && answer.at <= at) === true
}

/** The runtime must answer with the instance id that came with the stream, and that must be the executing pod's. */
function checkEcho(
  operations: Operations,
  { callbackId, sent, replied }: Callback,
  findings: Findings,
): void {
  const requestId = sent[0]?.requestId
  const call = requestId === undefined ? undefined : operations.calls.get(requestId)
  const expected = call === undefined ? undefined : instanceOf(operations, call)
  if (expected === undefined) return
  for (const { instanceId } of replied) {
    if (instanceId === expected) continue
    findings.violation(
      `callback ${callbackId}: replied to ${instanceId ?? 'no instance'}, its stream is ${expected}'s`,
    )
  }
}

function instanceOf(operations: Operations, { executes }: Call): string | undefined {
  const [execute] = executes
  if (execute === undefined || executes.length > 1) return undefined
  return processAt(operations, execute.pod, execute.at)?.instanceId
}
