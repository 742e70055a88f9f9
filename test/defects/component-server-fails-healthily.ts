// After its 300th call a component server fails each tenth one, and says that it is healthy.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/calls.ts',
  what: 'a pod that fails calls goes on saying that it is healthy',
  blind: true,
  checker: 'health-true',
  scenario: 'scale',
  edits: [
    {
      find: `      const output =
        input instanceof Promise
`,
      replace: `      const counts = globalThis as { direct?: number }
      counts.direct = (counts.direct ?? 0) + 1
      if (counts.direct > 300 && counts.direct % 10 === 0) throw new ComponentError('out of order')
      const output =
        input instanceof Promise
`,
    },
  ],
}
