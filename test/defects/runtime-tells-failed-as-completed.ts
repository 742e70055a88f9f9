// The runtime tells the client that a failed run completed with null.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/api/runs.ts',
  what: 'failed runs are told as completed',
  checker: 'client-runtime-agree',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: 'run.whenEnded(() => resolve({ status: 200, body: writeCreated(run) }))',
      replace: `run.whenEnded(() => {
      const body =
        run.status === 'failed'
          ? \`{"runId":"\${run.id}","itemCount":1,"result":{"outcome":"success","result":null},"status":"completed"}\`
          : writeCreated(run)
      resolve({ status: 200, body })
    })`,
    },
  ],
}
