// A fault of one's own: floods a pod with requests that it does not know, so that it has to log and refuse them.

import { Type } from '@sinclair/typebox'
import { defineFault } from '../../chaos/sdk.ts'

export const fault = defineFault({
  name: 'log-flood',
  what: 'A client sends requests to a path that is not there, as fast as it gets answers',
  lane: 'network',
  victim: 'pod',
  settings: Type.Object({ clients: Type.Integer({ minimum: 1, maximum: 50, default: 4 }) }),
  supports: () => null,
  on({ cluster, pods }, { clients }) {
    const ended = new AbortController()
    let refused = 0
    const flood = async (url: string): Promise<void> => {
      while (!ended.signal.aborted) {
        const answer = await fetch(`${url}/no-such-path`, { signal: ended.signal }).catch(() => null)
        await answer?.arrayBuffer().catch(() => null)
        if (answer?.status === 404) refused++
      }
    }
    return {
      inject: async () => {
        for (const pod of pods) for (let i = 0; i < clients; i++) void flood(cluster.podUrl(pod))
      },
      observed: async () => (refused >= 50 ? `${refused} requests refused` : null),
      undo: async () => ended.abort(),
      cleared: async () => (ended.signal.aborted ? 'no client is left' : null),
    }
  },
})
