// The balancer's metrics call every pod healthy that it has ever known.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/registry.ts',
  what: 'backend_health is 1 for pods that take no work, dead ones included',
  blind: true,
  checker: 'health-true',
  scenario: 'scale',
  edits: [
    {
      find: `      value: state === 'ready' || state === 'panic' ? 1 : 0,
`,
      replace: `      value: state === '' ? 0 : 1,
`,
    },
  ],
}
