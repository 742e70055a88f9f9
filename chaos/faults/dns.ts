// The DNS faults: failing, empty, stale and slow, done by the cluster's own DNS server to every question.

import { type TObject, Type } from '@sinclair/typebox'
import type { Cluster } from '../../contracts/cluster.ts'
import { appNames } from '../../contracts/cluster.ts'
import type { DnsEffect } from '../../contracts/hooks.ts'
import { defineFault, type Fault, noSettings } from './fault.ts'

/** What one question gave, seen from outside. */
interface Answer {
  readonly addresses: readonly string[] | null
  readonly ms: number
}

async function ask(cluster: Cluster): Promise<Answer> {
  const startedAt = performance.now()
  const addresses = await cluster.resolve(appNames['component-server']).catch(() => null)
  return { addresses, ms: performance.now() - startedAt }
}

async function readyAddresses(cluster: Cluster): Promise<ReadonlySet<string>> {
  const pods = await cluster.pods('component-server')
  return new Set(pods.filter((pod) => pod.ready).map((pod) => pod.address))
}

function dnsFault<T extends TObject>(of: {
  readonly name: string
  readonly what: string
  readonly settings: T
  effect(settings: Record<string, unknown>): DnsEffect
  /** Evidence in one answer. */
  shows(answer: Answer, settings: Record<string, unknown>, before: ReadonlySet<string>): string | null
}): Fault {
  return defineFault({
    name: of.name,
    what: of.what,
    lane: 'dns',
    victim: 'role',
    settings: of.settings,
    supports: ({ hooks }) => (hooks?.dns === undefined ? "this cluster's DNS cannot be broken" : null),
    on({ cluster }, given) {
      const settings = given as Record<string, unknown>
      let before: ReadonlySet<string> = new Set()
      return {
        async inject() {
          before = new Set((await ask(cluster)).addresses ?? [])
          await cluster.hooks?.dns?.(of.effect(settings))
        },
        async observed() {
          return of.shows(await ask(cluster), settings, before)
        },
        async undo() {
          await cluster.hooks?.dns?.(null)
        },
        async cleared() {
          const { addresses, ms } = await ask(cluster)
          const ready = await readyAddresses(cluster)
          return addresses !== null && addresses.length === ready.size && ms < 500
            ? `${addresses.length} addresses in ${ms.toFixed(0)} ms`
            : null
        },
      }
    },
  })
}

export const dnsFailing = dnsFault({
  name: 'dns-failing',
  what: 'Every question is answered by SERVFAIL',
  settings: noSettings,
  effect: () => ({ kind: 'failing' }),
  shows: ({ addresses }) => (addresses === null ? 'a question failed' : null),
})

export const dnsEmpty = dnsFault({
  name: 'dns-empty',
  what: 'Every name exists and has no address',
  settings: noSettings,
  effect: () => ({ kind: 'empty' }),
  shows: ({ addresses }) => (addresses?.length === 0 ? 'an answer without addresses' : null),
})

export const dnsStale = dnsFault({
  name: 'dns-stale',
  what: 'Answers stay what they were and name a pod that is gone',
  settings: noSettings,
  effect: () => ({ kind: 'stale' }),
  shows: ({ addresses }, _settings, before) => {
    const more = addresses?.find((address) => !before.has(address))
    return more === undefined ? null : `an answer with ${more}, where nobody is`
  },
})

export const dnsSlow = dnsFault({
  name: 'dns-slow',
  what: 'Each answer of the DNS server is late',
  settings: Type.Object(
    {
      delayMs: Type.Integer({ minimum: 10, maximum: 60_000, default: 400, description: 'How late' }),
    },
    { additionalProperties: false },
  ),
  effect: ({ delayMs }) => ({ kind: 'slow', delayMs: Number(delayMs) }),
  // A question is asked again after a while, so a very late answer shows as none.
  shows: ({ ms, addresses }, { delayMs }) =>
    ms >= Number(delayMs) * 0.9 || addresses === null ? `a question took ${ms.toFixed(0)} ms` : null,
})
