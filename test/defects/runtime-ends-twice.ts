// The runtime ends each tenth run twice.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/executor/executor.ts',
  what: 'a run ends twice on record',
  checker: 'once',
  scenario: 'smoke',
  edits: [
    {
      find: `      history.record({ kind: 'run.ended', runId: run.id, status: run.status, inFlight })
`,
      replace: `      history.record({ kind: 'run.ended', runId: run.id, status: run.status, inFlight })
      if (${eachTime(10)}) {
        history.record({ kind: 'run.ended', runId: run.id, status: run.status, inFlight })
      }
`,
    },
  ],
}
