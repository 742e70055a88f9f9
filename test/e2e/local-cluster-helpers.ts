// What the local cluster's tests share: a cluster of stand-in programs, and a look at what is left of one.

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Cluster, ClusterOptions } from '../../contracts/cluster.ts'
import { type LocalSettings, startLocalCluster } from '../../harness/cluster/local/index.ts'

export const fakeProgram = fileURLToPath(new URL('./programs/fake-program.ts', import.meta.url))

/** A cluster whose programs start fast and whose preStop is short. */
export function fakeCluster(
  options: ClusterOptions = {},
  settings: Partial<LocalSettings> = {},
): Promise<Cluster> {
  return startLocalCluster(options, {
    programs: { runtime: fakeProgram, balancer: fakeProgram, 'component-server': fakeProgram },
    preStopMs: 50,
    ...settings,
  })
}

/** Ids of the processes that use the cluster's DNS, which are its pods; Linux only. */
export async function processesOf(dns: string): Promise<readonly number[]> {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => environmentOf(pid).includes(`\0STEPFLOW_DNS=${dns}\0`))
    .map(Number)
}

function environmentOf(pid: string): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}\0`
  } catch {
    return ''
  }
}
