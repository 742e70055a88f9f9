// The runtime tells the client that a failed run completed.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/api/runs.ts',
  what: 'failed runs are told as completed',
  checker: 'client-runtime-agree',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: 'run.status}"}`',
      replace: `'completed'}"}\``,
    },
  ],
}
