// Checker nothing-leaked: after the load pods hold no more than before it: no work in hand, no more timers and sockets.

import type { PodUsage } from '../../contracts/history.ts'
import { type Checker, Findings, starvedShare } from './checker.ts'
import { operationsOf } from './operations.ts'

/**
 * What may stay for each call that was open at once. Connections: a pool keeps those that were busy, on either side
 * of the pod, and a reply to a callback has one beside its call's. Timers: one, until the stream's end has come.
 */
const keptForEachBusy = { files: 3, timers: 1 } as const
/** What comes and goes by itself: scrapes, health checks, resolvers. */
const slack = 40

/** What the system gets to bring its work to an end, µs; see Trial.settle. */
const endsWithinUs = 6_000_000

export const nothingLeaked: Checker = {
  name: 'nothing-leaked',
  claim:
    'when all runs have ended, pods have no request, stream or callback in hand, and no more sockets and timers than a pool may keep',
  check(history, context) {
    const findings = new Findings()
    const before = new Map<string, PodUsage>()
    const after: PodUsage[] = []
    for (const record of history) {
      if (record.kind !== 'pod.usage') continue
      if (record.phase === 'before') before.set(record.pod, record)
      else if (record.phase === 'after') after.push(record)
    }
    const busy = mostAtOnce(history)
    const most = { timers: 0, files: 0 }
    for (const usage of after) {
      const { pod, role } = usage
      findings.examined++
      for (const [what, count] of Object.entries(usage.open)) {
        if (count === 0) continue
        const text = `${pod}: ${count} ${what} with nothing under way`
        // Interrupted or without CPU time, the system had no chance to bring its work to an end.
        const taken = context.othersShare(usage.at - endsWithinUs, usage.at) ?? 0
        // No slowness takes off a count what was never on it.
        if (count > 0 && (context.interrupted || taken > starvedShare)) findings.cannotTell(text)
        else findings.violation(text)
      }
      // A pod that came during the trial is compared with its peers.
      const base = before.get(pod) ?? [...before.values()].find((other) => other.role === role)
      for (const figure of ['timers', 'files'] as const) {
        const [from, to] = [base?.[figure], usage[figure]]
        if (from === undefined || to === undefined) continue
        const allowed = keptForEachBusy[figure] * busy + slack
        most[figure] = Math.max(most[figure], to - from)
        if (to - from > allowed) {
          findings.violation(`${pod}: ${figure} from ${from} to ${to}, at most ${allowed} more are a pool`)
        }
      }
    }
    findings.summary =
      `${after.length} pods have nothing in hand; at most ${most.files} more files and ${most.timers} more timers` +
      ` than before, after at most ${busy} calls at once`
    if (findings.violations > 0) findings.summary = `at most ${busy} calls at once`
    return findings
  },
}

/** Component calls and runs that were open at the same time, at most. */
function mostAtOnce(history: Parameters<Checker['check']>[0]): number {
  const changes: [at: number, change: number][] = []
  for (const { sent, results } of operationsOf(history).calls.values()) {
    if (sent === undefined) continue
    changes.push([sent.at, 1])
    if (results[0] !== undefined) changes.push([results[0].at, -1])
  }
  changes.sort((a, b) => a[0] - b[0])
  let open = 0
  let most = 0
  for (const [, change] of changes) {
    open += change
    most = Math.max(most, open)
  }
  return most
}
