// What each pod did, second by second, from its own records.

import { readyIntervals } from '../../chaos/checkers/eligibility.ts'
import type { History, HistoryRecord, Role } from '../../contracts/history.ts'
import type { PodActivity } from '../../contracts/results.ts'

/** The record by which a pod of a role counts a call it received. */
const calls: Readonly<Record<Role, HistoryRecord['kind']>> = {
  runtime: 'run.accepted',
  balancer: 'request.routed',
  'component-server': 'execute.received',
}
const roles = Object.keys(calls) as Role[]

/**
 * Activity of every pod of the history, in order of appearance, by whole seconds from `fromUs` (µs). Runtimes count
 * runs accepted, balancers requests answered, component servers executions received.
 */
export function podActivity(history: History, fromUs: number): readonly PodActivity[] {
  const endUs = history.at(-1)?.at ?? fromUs
  const seconds = Math.max(0, Math.floor((endUs - fromUs) / 1e6) + 1)
  const ready = new Map(roles.map((role) => [role, readyIntervals(history, role)]))
  const pods = new Map<string, { role: Role; instanceId: string | undefined; callsPerSecond: number[] }>()
  const podOf = (pod: string, role: Role) => {
    let known = pods.get(pod)
    if (known === undefined) {
      known = { role, instanceId: undefined, callsPerSecond: new Array<number>(seconds).fill(0) }
      pods.set(pod, known)
    }
    return known
  }
  for (const record of history) {
    if (record.kind === 'pod.state') podOf(record.pod, record.role)
    const { witness } = record
    if (witness === 'client' || witness === 'harness') continue
    const pod = podOf(record.pod, witness)
    if (record.kind === 'process.started') pod.instanceId = record.instanceId
    if (record.kind === calls[witness] && record.at >= fromUs) {
      pod.callsPerSecond[Math.floor((record.at - fromUs) / 1e6)]! += 1
    }
  }
  return [...pods].map(([pod, { role, instanceId, callsPerSecond }]) => {
    const intervals = ready.get(role)?.get(pod)
    const until = intervals?.at(-1)?.until
    return {
      pod,
      role,
      ...(instanceId === undefined ? {} : { instanceId }),
      callsPerSecond,
      calls: callsPerSecond.reduce((sum, count) => sum + count, 0),
      readyFrom: intervals?.[0]?.from ?? null,
      readyUntil: until === undefined || until > endUs ? null : until,
    }
  })
}
