// What the faults' tests share: a fault run on a real cluster through its whole life, each proof looked at.

import type { Test } from 'tap'
import { faults, type Target } from '../../chaos/faults/index.ts'
import { type RunningFault, runFault } from '../../chaos/faults/run.ts'
import { settingsOf } from '../../chaos/faults/settings.ts'
import { seededRandom } from '../../chaos/random.ts'
import type { Cluster, Pod, Role } from '../../contracts/cluster.ts'

export interface Aim {
  readonly role?: Role
  /** How many pods; default 1. */
  readonly pods?: number
  readonly settings?: Readonly<Record<string, unknown>>
}

export async function inject(
  cluster: Cluster,
  name: string,
  { role = 'component-server', pods = 1, settings = {} }: Aim = {},
): Promise<RunningFault & { readonly victims: readonly Pod[] }> {
  const fault = faults[name]
  if (fault === undefined) throw new Error(`no fault ${name}`)
  const all = await cluster.waitReady(role)
  const victims = fault.victim === 'pod' ? all.slice(0, pods) : all
  const target: Target = {
    cluster,
    role,
    pods: victims,
    random: seededRandom(1),
    signal: new AbortController().signal,
    leaves: async () => {},
  }
  const running = await runFault(fault, target, settingsOf(fault.settings, settings, name).settings)
  return { ...running, victims }
}

/** Injects, looks at the proof, undoes, looks at the other; `during` looks for itself. */
export async function wholeLife(
  t: Test,
  cluster: Cluster,
  name: string,
  aim: Aim,
  evidence: RegExp,
  during: (victims: readonly Pod[]) => Promise<void> = async () => {},
): Promise<void> {
  const running = await inject(cluster, name, aim)
  try {
    t.match(running.seen, evidence, running.problem ?? 'observed')
    if (running.seen !== null) await during(running.victims)
  } finally {
    const gone = await running.undo()
    t.ok(gone.seen, `cleared: ${gone.problem ?? gone.seen}`)
  }
  await cluster.waitReady(aim.role ?? 'component-server')
}
