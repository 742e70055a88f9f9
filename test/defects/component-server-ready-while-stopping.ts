// A component server that stops says that it is ready.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/server.ts',
  what: 'readiness does not change while it drains',
  checker: 'health-true',
  // Elsewhere a pod that stops is gone within the second that its word is given.
  scenario: 'long-streams-drained.yaml',
  edits: [
    {
      find: `    notReady: () => (draining ? 'draining' : null),`,
      replace: `    notReady: () => (draining && instanceId === '' ? 'draining' : null),`,
    },
  ],
}
