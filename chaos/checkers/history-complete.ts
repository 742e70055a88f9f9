// Checker history-complete: the history has every record of what the pods themselves counted.

import type { History, PodUsage } from '../../contracts/history.ts'
import { type Checker, Findings } from './checker.ts'

export const historyComplete: Checker = {
  name: 'history-complete',
  claim:
    'the history holds as many ends of runs and calls as each pod counted between its first and its last word',
  check(history) {
    const findings = new Findings()
    const before = new Map<string, PodUsage>()
    for (const record of history) {
      if (record.kind !== 'pod.usage') continue
      if (record.phase === 'before') before.set(record.pod, record)
      else if (record.phase === 'after') compare(history, before.get(record.pod), record, findings)
    }
    findings.summary = `${findings.examined} runs and calls, as many as the pods counted`
    return findings
  },
}

function compare(history: History, before: PodUsage | undefined, after: PodUsage, findings: Findings): void {
  const { pod } = after
  // Work under way at either moment is counted before or after its record is: nothing to compare.
  if (before === undefined || isBusy(before) || isBusy(after)) return
  const isNew = history.some(
    (record) => record.kind === 'process.started' && record.pod === pod && record.at > before.at,
  )
  if (isNew) return
  for (const [kind, count] of Object.entries(after.counted ?? {})) {
    const counted = count - (before.counted?.[kind] ?? 0)
    const recorded = history.filter(
      (record) =>
        record.kind === kind && record.pod === pod && record.at >= before.at && record.at <= after.at,
    ).length
    findings.examined += recorded
    if (recorded !== counted) {
      findings.violation(`${pod}: counted ${counted} times ${kind}, the history has ${recorded}`)
    }
  }
}

function isBusy({ open }: PodUsage): boolean {
  return Object.values(open).some((count) => count !== 0)
}
