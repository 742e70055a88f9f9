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

/** Each with settings under which it shows at once, and what is seen of it. */
export const networkFaults = [
  ['latency', { delayMs: 50 }, /bytes of \w+ 50 ms later/],
  ['bandwidth', { bytesPerSecond: 5_000 }, /bytes took \d+ ms/],
  ['loss', { share: 0.5, stallMs: 20 }, /stalled for \d+ ms/],
  ['partition', { direction: 'requests' }, /bytes of requests held/],
  ['partition', { direction: 'both' }, /held/],
  ['half-open', {}, /went silent/],
  ['stream-reset', {}, /reset after event 1/],
  ['slow-reader', {}, /bytes took/],
  ['corruption', {}, /byte \d+ of a/],
  ['truncation', { event: 1, step: 's' }, /event 1 cut/],
  ['split-events', {}, /in pieces of 7 bytes/],
] as const

/** Keeps calls with callbacks going through the balancers, whatever becomes of them. */
export async function whileCalling(cluster: Cluster, work: () => Promise<void>): Promise<void> {
  const ended = new AbortController()
  const url = await cluster.serviceUrl('balancer')
  const body = JSON.stringify({
    ...{ jsonrpc: '2.0', id: 'a', method: 'components/execute' },
    params: {
      component: '/store_and_retrieve_blob',
      input: { data: 'x' },
      attempt: 1,
      observability: { step_id: 's' },
    },
  })
  const calling = (async () => {
    while (!ended.signal.aborted) {
      const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(1_500)])
      const sent = fetch(url, {
        method: 'POST',
        body,
        signal,
        headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
      })
      await sent.then((answer) => answer.body?.getReader().read()).catch(() => {})
    }
  })()
  try {
    await work()
  } finally {
    ended.abort()
    await calling
  }
}
