// A component server told to stop ends its open calls at once.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/server.ts',
  what: 'draining does not wait for open calls: they end with an error',
  blind: true,
  checker: 'no-run-failed',
  scenario: 'long-streams-drained.yaml',
  edits: [
    {
      find: `      await Promise.race([calls.whenIdle(), passed])
`,
      replace: '',
    },
  ],
}
