// What faults may do to a local cluster, by way of the node agent.

import type { Role } from '../../../contracts/cluster.ts'
import type { ClusterHooks } from '../../../contracts/hooks.ts'
import type { AgentLink } from './agent-link.ts'
import { temporaryFolder } from './pod-files.ts'
import type { PodTable } from './pod-table.ts'
import type { Booted } from './protocol.ts'

export function localHooks(
  agent: AgentLink,
  table: PodTable,
  { directory }: Booted,
  links: readonly Role[],
): ClusterHooks {
  let nextWatch = 1
  return {
    processId: async (pod) => table.find(pod)?.status.pid ?? null,
    async holdUnready(name, held) {
      await agent.request({ kind: 'unready', name, held })
    },
    async nodeArgs(name, args) {
      await agent.request({ kind: 'nodeArgs', name, args })
    },
    temporaryFolder: (pod) => temporaryFolder(directory, pod),
    async dns(effect) {
      await agent.request({ kind: 'dns', effect })
    },
    links: {
      roles: links,
      add: (aim, effect, seed) => agent.request({ kind: 'link.add', aim, effect, seed }),
      async remove(id) {
        await agent.request({ kind: 'link.remove', id })
      },
      report: (id) => agent.request({ kind: 'link.report', id }),
      entrance: (pod) => agent.request({ kind: 'link.entrance', pod }),
      async moment(aim, moment, signal) {
        const watch = String(nextWatch++)
        const release = async (): Promise<void> => {
          await agent.request({ kind: 'link.release', watch })
        }
        const abort = (): void => void release().catch(() => {})
        signal.addEventListener('abort', abort)
        try {
          const came = agent.request({ kind: 'link.moment', watch, aim, moment })
          if (signal.aborted) abort()
          const pod = await came
          return pod === null ? null : { pod, release }
        } finally {
          signal.removeEventListener('abort', abort)
        }
      },
    },
  }
}
