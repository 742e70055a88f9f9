// What faults look at to see whether they took effect: pods as the cluster lists them, and what they answer.

import { readFileSync } from 'node:fs'
import type { Cluster, Pod, Role } from '../../contracts/cluster.ts'
import type { Target } from './fault.ts'

/** The pod as it is now; undefined: gone. */
export async function podNow(cluster: Cluster, { role, name }: Pod): Promise<Pod | undefined> {
  return (await cluster.pods(role)).find((pod) => pod.name === name)
}

export async function readyCount(cluster: Cluster, role: Role): Promise<number> {
  return (await cluster.pods(role)).filter((pod) => pod.ready && pod.phase === 'Running').length
}

/** Whether a pod's admin port answers /livez in time. */
export async function isAlive(cluster: Cluster, pod: Pod, timeoutMs = 300): Promise<boolean> {
  return (await answersIn(`${cluster.podAdminUrl(pod)}/livez`, timeoutMs)) !== null
}

/** Milliseconds until a URL answers, whatever the status; null: not in time, or not at all. */
export async function answersIn(url: string, timeoutMs: number): Promise<number | null> {
  const startedAt = performance.now()
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(timeoutMs),
      headers: { connection: 'close' },
    })
    await answer.arrayBuffer()
    return performance.now() - startedAt
  } catch {
    return null
  }
}

/** Evidence of all victims together; null while one has none. */
export async function ofEach(
  { pods }: Pick<Target, 'pods'>,
  look: (pod: Pod) => Promise<string | null>,
): Promise<string | null> {
  const found = await Promise.all(pods.map(look))
  return found.length > 0 && found.every((one) => one !== null) ? found.join('; ') : null
}

/** Process ids of the pods' programs. Throws where one has none. */
export async function processIds({
  cluster,
  pods,
}: Pick<Target, 'cluster' | 'pods'>): Promise<readonly number[]> {
  return Promise.all(
    pods.map(async ({ name }) => {
      const pid = await cluster.hooks?.processId?.(name)
      if (pid === undefined || pid === null) throw new Error(`${name} has no running program`)
      return pid
    }),
  )
}

export function isGone(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return true
  }
}
