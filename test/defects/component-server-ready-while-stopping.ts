// A component server that stops says that it is ready.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/server.ts',
  what: 'readiness does not change while it drains',
  checker: 'health-true',
  scenario: 'scale',
  edits: [
    {
      find: `    notReady: () => (draining ? 'draining' : null),`,
      replace: `    notReady: () => (draining && instanceId === '' ? 'draining' : null),`,
    },
  ],
}
