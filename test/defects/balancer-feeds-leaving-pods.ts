// A pod that its sources do not name any more still gets new work.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/discovery/directory.ts',
  what: 'new work goes on to a pod that terminates, for as long as it answers health checks',
  blind: true,
  checker: 'ejected-in-time',
  scenario: 'scale',
  edits: [
    {
      find: `    const open = watched.listed && !watched.held
`,
      replace: `    const open = !watched.held
`,
    },
  ],
}
