// Checker pod-replaced: each killed pod has a successor that becomes ready in time and serves.

import type { History, HistoryRecord, Role } from '../../contracts/history.ts'
import { type Checker, Findings, type FullContext, ownTime, seconds } from './checker.ts'
import { readyIntervals } from './eligibility.ts'

/** The record by which a pod of a role shows that it serves. */
const serving: Readonly<Record<Role, HistoryRecord['kind']>> = {
  runtime: 'run.accepted',
  balancer: 'request.routed',
  'component-server': 'execute.received',
}
/** So many calls to other pods later, a ready successor that got none is left out. */
const callsPassedOver = 50

export const podReplaced: Checker = {
  name: 'pod-replaced',
  claim: 'each killed pod is replaced by one that becomes ready within the limit and serves',
  check(history, context) {
    const findings = new Findings()
    const taken = new Set<string>()
    const notes: string[] = []
    for (const kill of context.kills.toSorted((a, b) => a.at - b.at)) {
      findings.examined++
      const next = successors(history, kill, context).find(({ pod, from }) => !taken.has(`${pod} ${from}`))
      if (next === undefined || next.from - kill.at > context.replaceWithinUs) {
        const text = `${kill.pod}: no successor became ready`
        const over = ownTime(kill.at, next?.from ?? context.collectedAt, context) > context.replaceWithinUs
        if (over) findings.violation(`${text} within ${seconds(context.replaceWithinUs)}`)
        else findings.cannotTell(`${text} until the history was read`)
        continue
      }
      taken.add(`${next.pod} ${next.from}`)
      const later = history.filter(({ kind, at }) => kind === serving[kill.role] && at >= next.from)
      const first = later.find(({ pod }) => pod === next.pod)
      if (first !== undefined) {
        notes.push(
          `${kill.pod} replaced by ${next.pod}: ready after ${seconds(next.from - kill.at)}, served after ${seconds(first.at - kill.at)}`,
        )
      } else if (later.length >= callsPassedOver) {
        findings.violation(`${next.pod}: ready, and not one of the next ${later.length} calls came to it`)
      } else findings.cannotTell(`${next.pod}: ready, and only ${later.length} calls came after that`)
    }
    findings.summary = notes.join('; ')
    return findings
  },
}

/** Pods of the role that became ready after the kill and were not ready when it came, by time. */
function successors(history: History, kill: FullContext['kills'][number], { kills }: FullContext) {
  return [...readyIntervals(history, kill.role, kills)]
    .filter(([pod, intervals]) => pod === kill.pod || !intervals.some(({ from }) => from <= kill.at))
    .flatMap(([pod, intervals]) => intervals.map(({ from }) => ({ pod, from })))
    .filter(({ from }) => from > kill.at)
    .sort((a, b) => a.from - b.from)
}
