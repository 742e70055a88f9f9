// The load generator counts failed runs as completed.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'harness/load/engines/embedded/tally.ts',
  what: 'failed runs are counted as completed',
  checker: 'load-true',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: '    this.ended[ending.outcome]++',
      replace: `    this.ended[ending.outcome === 'failed' ? 'completed' : ending.outcome]++`,
    },
  ],
}
