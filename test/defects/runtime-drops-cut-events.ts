// The runtime's reader of event streams drops what is left of a chunk (as Stepflow's own, for chunks that cut a character).

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/wire/sse.ts',
  what: 'an event that comes in two chunks is lost',
  checker: 'no-run-failed',
  scenario: 'smoke',
  edits: [
    {
      find: `        line += text.slice(at)
`,
      replace: `        line = ''
`,
    },
  ],
}
