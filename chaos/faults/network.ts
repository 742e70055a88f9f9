// The network faults: what the proxies on the way to a role's pods do to the bytes (see chaos/proxy/).

import { type Static, type TObject, type TProperties, Type } from '@sinclair/typebox'
import type { Pod } from '../../contracts/cluster.ts'
import type { Direction, LinkEffect, LinkHooks, Moment } from '../../contracts/hooks.ts'
import { defineFault, type Fault } from './fault.ts'
import { answersIn } from './pods.ts'

const direction = Type.Union([Type.Literal('requests'), Type.Literal('answers'), Type.Literal('both')], {
  default: 'both',
  description: 'Bytes to the pod, from the pod, or either',
})
const share = Type.Number({ minimum: 0.001, maximum: 1, default: 1, description: 'Chance of each event' })
const moment = {
  event: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Only after this event of a stream, once' }),
  ),
  step: Type.Optional(Type.String({ minLength: 1, description: 'and only in this step of a flow' })),
}

function momentOf(settings: { readonly event?: number; readonly step?: string }): Moment | null {
  if (settings.event === undefined) return null
  return { event: settings.event, ...(settings.step === undefined ? {} : { step: settings.step }) }
}

/** Locally an experiment's faults bring them along. */
const noProxies =
  'this cluster has no proxies on its links (on Kubernetes: npm run deploy -- --overlay chaos)'

/** How long a healthy link may take to answer, ms. */
const answerMs = 4_000

const exact = <P extends TProperties>(properties: P) =>
  Type.Object(properties, { additionalProperties: false })

function linkFault<T extends TObject>(of: {
  readonly name: string
  readonly what: string
  readonly settings: T
  effect(settings: Static<T>): LinkEffect
  /** Whether a request that nobody sent would show it: then one is sent. */
  readonly shownByRequests?: boolean
}): Fault {
  return defineFault({
    name: of.name,
    what: of.what,
    lane: 'network',
    victim: 'link',
    landsWithinMs: 20_000,
    settings: of.settings,
    supports: ({ hooks }) => (hooks?.links === undefined ? noProxies : null),
    on({ cluster, role, pods, random }, settings) {
      const ids = new Map<string, string>()
      const links = (): LinkHooks => {
        const found = cluster.hooks?.links
        if (found === undefined || !found.roles.includes(role))
          throw new Error(`the way to ${role} has no proxy in this cluster`)
        return found
      }
      const throughLink = async (pod: Pod, timeoutMs: number): Promise<number | null> => {
        const at = await links().entrance(pod.name)
        return at === null ? null : answersIn(`http://${at.address}:${at.port}/health`, timeoutMs)
      }
      return {
        async inject() {
          const effect = of.effect(settings)
          const seed = (): number => Math.floor(random() * 2 ** 32)
          // All of them: then also those that come while it lasts.
          if (pods.length === (await cluster.pods(role)).length) {
            ids.set('all', await links().add({ role }, effect, seed()))
            return
          }
          for (const { name } of pods) ids.set(name, await links().add({ role, pod: name }, effect, seed()))
        },
        async observed() {
          if (of.shownByRequests === true) for (const pod of pods) void throughLink(pod, answerMs)
          const reports = await Promise.all([...ids.values()].map((id) => links().report(id)))
          const hits = reports.filter((report) => report.hits > 0)
          if (hits.length === 0) return null
          const sum = hits.reduce((total, report) => total + report.hits, 0)
          return `${sum} times, last: ${hits.at(-1)?.last}`
        },
        async undo() {
          for (const [pod, id] of [...ids]) {
            await links().remove(id)
            ids.delete(pod)
          }
        },
        async cleared() {
          const now = new Set((await cluster.pods(role)).map((pod) => pod.name))
          const left = pods.filter((pod) => now.has(pod.name))
          const times = await Promise.all(left.map((pod) => throughLink(pod, answerMs)))
          return ids.size === 0 && times.every((ms) => ms !== null)
            ? `${left.length} links answer in ${Math.max(0, ...times.map(Number)).toFixed(0)} ms`
            : null
        },
      }
    },
  })
}

export const latency = linkFault({
  name: 'latency',
  what: 'Bytes arrive later, by a fixed delay and a jitter',
  settings: exact({
    direction,
    delayMs: Type.Integer({ minimum: 0, maximum: 60_000, default: 100, description: 'Delay of each piece' }),
    jitterMs: Type.Integer({
      minimum: 0,
      maximum: 60_000,
      default: 0,
      description: 'Up to so much more or less',
    }),
  }),
  shownByRequests: true,
  effect: (settings) => ({ kind: 'latency', ...settings }),
})

export const bandwidth = linkFault({
  name: 'bandwidth',
  what: 'The link carries only so many bytes a second',
  settings: exact({
    direction,
    bytesPerSecond: Type.Integer({
      minimum: 100,
      maximum: 1e9,
      default: 10_000,
      description: 'Each connection',
    }),
  }),
  shownByRequests: true,
  effect: (settings) => ({ kind: 'bandwidth', ...settings }),
})

export const loss = linkFault({
  name: 'loss',
  what: 'Segments are lost and sent again: all behind a lost one waits, as in TCP',
  settings: exact({
    direction,
    share: Type.Number({
      minimum: 0.001,
      maximum: 0.99,
      default: 0.1,
      description: 'Chance of each segment',
    }),
    stallMs: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 200,
      description: "Linux's least retransmission time-out; doubled for each further loss",
    }),
  }),
  shownByRequests: true,
  effect: (settings) => ({ kind: 'loss', ...settings }),
})

export const partition = linkFault({
  name: 'partition',
  what: 'Nothing passes, one way or both; what was sent arrives when it is over, as retransmissions do',
  settings: exact({ direction }),
  shownByRequests: true,
  effect: (settings) => ({ kind: 'partition', direction: settings.direction as Direction }),
})

export const halfOpen = linkFault({
  name: 'half-open',
  what: 'Open connections go silent for good without a word to either side; new ones work',
  settings: exact(moment),
  effect: (settings) => ({ kind: 'half-open', moment: momentOf(settings) }),
})

export const streamReset = linkFault({
  name: 'stream-reset',
  what: 'Streams are reset in their middle, after an event',
  settings: exact({ share, ...moment }),
  effect: (settings) => ({ kind: 'reset', share: settings.share, moment: momentOf(settings) }),
})

export const slowReader = linkFault({
  name: 'slow-reader',
  what: 'Whoever called takes so few bytes a second that the pod cannot get rid of its answer',
  settings: exact({
    bytesPerSecond: Type.Integer({
      minimum: 10,
      maximum: 1e9,
      default: 2_000,
      description: 'Each connection',
    }),
  }),
  shownByRequests: true,
  effect: (settings) => ({ kind: 'slow-reader', ...settings }),
})

export const corruption = linkFault({
  name: 'corruption',
  what: 'A byte of a JSON body or event becomes NUL, which no JSON may hold',
  settings: exact({ share, ...moment }),
  shownByRequests: true,
  effect: (settings) => ({ kind: 'corrupt', share: settings.share, moment: momentOf(settings) }),
})

export const truncation = linkFault({
  name: 'truncation',
  what: 'An event is cut in its middle and the connection closed',
  settings: exact({ share, ...moment }),
  effect: (settings) => ({ kind: 'truncate', share: settings.share, moment: momentOf(settings) }),
})

export const splitEvents = linkFault({
  name: 'split-events',
  what: 'Events arrive in small pieces, also within characters',
  settings: exact({
    bytes: Type.Integer({ minimum: 1, maximum: 100_000, default: 7, description: 'Of each piece' }),
    gapMs: Type.Integer({ minimum: 0, maximum: 10_000, default: 1, description: 'Between two pieces' }),
  }),
  effect: (settings) => ({ kind: 'split', ...settings }),
})
