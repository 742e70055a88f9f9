// The balancer ends a stream in which nothing happens for a tenth of a second.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/limits.ts',
  what: 'streams that are silent for 100 ms are cut',
  blind: true,
  checker: 'no-run-failed',
  scenario: 'affinity',
  edits: [
    {
      find: `  streamIdleMs: 0,
`,
      replace: `  streamIdleMs: 100,
`,
    },
  ],
}
