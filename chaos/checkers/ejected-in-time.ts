// Checker ejected-in-time: balancers notice that a pod is dead or leaving, and soon give it no new work.

import type { BackendState, History, WitnessedRecord } from '../../contracts/history.ts'
import { type Checker, Findings, type FullContext, seconds } from './checker.ts'

export const ejectedInTime: Checker = {
  name: 'ejected-in-time',
  claim:
    'a component-server pod that is killed or leaves is out at every balancer within the limit, and gets no new call after it',
  check(history, context) {
    const findings = new Findings()
    const times: number[] = []
    for (const kill of context.kills) {
      if (kill.role !== 'component-server') continue
      for (const [balancer, states] of backendStates(history, kill.pod)) {
        if (!isAlive(history, balancer, kill.at, context)) continue
        // One that never had it ready has nothing to put out.
        if (states.findLast(({ at }) => at <= kill.at)?.state !== 'ready') continue
        findings.examined++
        const out = states.find(({ at, state }) => at > kill.at && state !== 'ready')
        const tookUs = (out?.at ?? context.collectedAt) - kill.at
        if (out !== undefined) times.push(tookUs)
        if (tookUs <= context.noticeWithinUs) continue
        const text = `${balancer}: ${kill.pod} was killed, and ${out === undefined ? 'never put out' : `put out ${seconds(tookUs)} later`}`
        const excusable = tookUs <= neverExcused * context.noticeWithinUs
        if (excusable && isDisturbed(context, kill.at, kill.at + tookUs)) findings.cannotTell(text)
        else findings.violation(text)
      }
    }
    for (const [pod, at] of leaving(history)) {
      findings.examined++
      const until = at + context.ejectWithinUs
      const calls = history.filter(
        (record) => record.kind === 'execute.received' && record.pod === pod && record.at > until,
      )
      const [first] = calls
      if (first === undefined) continue
      const text = `${pod}: told to stop, and got ${calls.length} new calls later than ${seconds(context.ejectWithinUs)} after that`
      const lateUs = (calls.at(-1) ?? first).at - at
      const excusable = lateUs <= neverExcused * context.ejectWithinUs
      if (excusable && isDisturbed(context, at, first.at)) findings.cannotTell(text)
      else findings.violation(text)
    }
    const slowest = times.reduce((most, time) => Math.max(most, time), 0)
    findings.summary =
      `${findings.examined} times a pod was to be put out` +
      (times.length === 0 ? '' : `; dead ones were out after ${seconds(slowest)} at the latest`)
    return findings
  },
}

/** So many times the limit are too late on the busiest machine. */
const neverExcused = 10
/** Above this share of the machine taken by others, slowness is no proof. */
const mostTaken = 0.2

function isDisturbed(context: FullContext, from: number, until: number): boolean {
  return (context.othersShare(from, until) ?? 0) > mostTaken
}

type StateOf = BackendState & Pick<WitnessedRecord, 'pod'>

/** What each balancer recorded of a component-server pod, known by the instance ids of its processes. */
function backendStates(history: History, pod: string): ReadonlyMap<string, readonly StateOf[]> {
  const instances = new Set<string | undefined>()
  for (const record of history) {
    if (record.kind === 'process.started' && record.pod === pod) instances.add(record.instanceId)
  }
  instances.delete(undefined)
  const known = new Map<string, string>()
  const states = new Map<string, StateOf[]>()
  for (const record of history) {
    if (record.kind !== 'backend.state') continue
    const place = `${record.pod} ${record.backend}`
    const instanceId = record.instanceId ?? known.get(place)
    if (instanceId !== undefined) known.set(place, instanceId)
    if (!instances.has(instanceId)) continue
    const list = states.get(record.pod) ?? []
    list.push(record)
    states.set(record.pod, list)
  }
  return states
}

/** Whether a balancer lived on for the limit after `at`. */
function isAlive(history: History, balancer: string, at: number, context: FullContext): boolean {
  const ends = history.some(
    (record) =>
      record.pod === balancer &&
      (record.kind === 'process.stopping' || (record.kind === 'pod.state' && record.phase === 'Gone')) &&
      record.at <= at + context.ejectWithinUs,
  )
  return !ends && !context.kills.some(({ pod, at: killedAt }) => pod === balancer && killedAt <= at)
}

/** When component servers were told to stop. */
function leaving(history: History): ReadonlyMap<string, number> {
  const times = new Map<string, number>()
  for (const record of history) {
    if (record.kind !== 'process.stopping' || record.witness !== 'component-server') continue
    if (!times.has(record.pod)) times.set(record.pod, record.at)
  }
  return times
}
