// Checker health-true: what pods say of their health, and balancers of the pods', agrees with what they do.

import type { History, PodHealth } from '../../contracts/history.ts'
import { type Checker, Findings, type FullContext, seconds } from './checker.ts'
import { operationsOf } from './operations.ts'

/** A pod that stops may say ready until its signal handler has run, µs. */
const stopsWithinUs = 1_000_000
/** A pod that the cluster has had ready for so long has no reason to say that it is not, µs. */
const readyForUs = 5_000_000
/** Share of its direct calls that a pod may fail and still call itself ready. */
const mostFailed = 0.01

export const healthTrue: Checker = {
  name: 'health-true',
  claim:
    'pods say ready while they serve and not while they stop or fail their calls, and balancers call no pod healthy that is dead or leaving',
  check(history, context) {
    const findings = new Findings()
    const stopping = new Map<string, number>()
    const readySince = new Map<string, number>()
    const ends = endsOf(history, context)
    const saysReady = new Set<string>()
    for (const record of history) {
      if (record.kind === 'process.stopping') stopping.set(record.pod, record.at)
      else if (record.kind === 'process.started') stopping.delete(record.pod)
      else if (record.kind === 'pod.state') {
        if (!record.ready || record.phase !== 'Running') readySince.delete(record.pod)
        else if (!readySince.has(record.pod)) readySince.set(record.pod, record.at)
      } else if (record.kind === 'pod.health') {
        findings.examined++
        const { pod, says, at } = record
        if (says === 'ready') saysReady.add(pod)
        const since = stopping.get(pod)
        if (says === 'ready' && since !== undefined && at - since > stopsWithinUs) {
          findings.violation(`${pod}: says ready ${seconds(at - since)} after it was told to stop`)
        }
        const ready = readySince.get(pod)
        if (says === 'not ready' && ready !== undefined && since === undefined && at - ready > readyForUs) {
          findings.violation(`${pod}: says not ready, and has been given work for ${seconds(at - ready)}`)
        }
        checkBackends(record, ends, context, findings)
      }
    }
    if (!context.ownFlow) checkCalls(history, saysReady, findings)
    findings.summary = `${findings.examined} answers of pods about their health`
    return findings
  },
}

/** When each instance of a component server was dead or told to leave, by instance id. */
function endsOf(history: History, { kills }: FullContext): ReadonlyMap<string, number> {
  const instanceOf = new Map<string, string>()
  const started: { readonly pod: string; readonly at: number; readonly instance: string }[] = []
  const ends = new Map<string, number>()
  const end = (pod: string, at: number): void => {
    const instance = instanceOf.get(pod)
    if (instance !== undefined && !ends.has(instance)) ends.set(instance, at)
  }
  for (const record of history) {
    if (record.kind === 'process.started' && record.witness === 'component-server') {
      // A process started in its place: the one before is dead.
      end(record.pod, record.at)
      if (record.instanceId === undefined) continue
      instanceOf.set(record.pod, record.instanceId)
      started.push({ pod: record.pod, at: record.at, instance: record.instanceId })
    } else if (record.kind === 'pod.state' && record.phase !== 'Running' && record.phase !== 'Pending') {
      end(record.pod, record.at)
    } else if (record.kind === 'process.stopping') end(record.pod, record.at)
  }
  for (const { pod, at, goneAt } of kills) {
    // Not the one that started in its place since.
    const victim = started.findLast((one) => one.pod === pod && one.at <= at)?.instance
    if (victim !== undefined) ends.set(victim, Math.min(goneAt, ends.get(victim) ?? goneAt))
  }
  return ends
}

function checkBackends(
  { pod, at, backends }: PodHealth,
  ends: ReadonlyMap<string, number>,
  context: FullContext,
  findings: Findings,
): void {
  for (const [instance, healthy] of Object.entries(backends ?? {})) {
    const end = ends.get(instance)
    if (!healthy || end === undefined || at - end <= context.ejectWithinUs) continue
    const text = `${pod}: calls ${instance} healthy ${seconds(at - end)} after its end`
    if ((context.othersShare(end, at) ?? 0) > mostTaken) findings.cannotTell(text)
    else findings.violation(text)
  }
}

/** Above this share of the machine taken by others, slowness is no proof. */
const mostTaken = 0.2

/** Direct calls depend on nobody else: what fails them is the pod. */
function checkCalls(history: History, saysReady: ReadonlySet<string>, findings: Findings): void {
  const counts = new Map<string, { calls: number; failed: number }>()
  for (const { executes, executeAnswers } of operationsOf(history).calls.values()) {
    for (const { pod, stream } of executes) {
      if (stream || !saysReady.has(pod)) continue
      const count = counts.get(pod) ?? { calls: 0, failed: 0 }
      count.calls++
      if (executeAnswers.some((answer) => answer.pod === pod && answer.outcome === 'failed')) count.failed++
      counts.set(pod, count)
    }
  }
  for (const [pod, { calls, failed }] of counts) {
    if (failed > mostFailed * calls) {
      findings.violation(`${pod}: says ready, and fails ${failed} of ${calls} direct calls`)
    }
  }
}
