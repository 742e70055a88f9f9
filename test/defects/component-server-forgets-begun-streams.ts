// A call counts as done once its stream has begun (as the semaphore of Stepflow's own worker): its end waits for none of them.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/calls.ts',
  what: `a call's place is given back when its stream begins: neither the limit nor the drain sees it`,
  checker: 'no-run-failed',
  scenario: 'long-streams-drained.yaml',
  edits: [
    {
      find: `      if (!closeCall(call)) return false
      streamsOpen--
`,
      replace: `      if (!owner.open) return false
      streamsOpen--
`,
    },
    {
      find: `    answer.openStream()

`,
      replace: `    answer.openStream()
    closeCall(call)

`,
    },
  ],
}
