// A component server that stops does not wait for its streams (as Stepflow's worker, whose semaphore was free once a stream had begun).

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/calls.ts',
  what: 'draining counts direct calls only, so open streams are cut',
  checker: 'no-run-failed',
  scenario: 'long-streams-drained.yaml',
  edits: [
    {
      find: `    whenIdle: () =>
      openCalls.size === 0`,
      replace: `    whenIdle: () =>
      openCalls.size === streamsOpen`,
    },
  ],
}
