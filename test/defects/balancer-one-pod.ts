// The balancer sends all new work to one pod.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/pick.ts',
  what: 'one pod gets all calls',
  checker: 'fairness',
  scenario: 'affinity',
  edits: [
    {
      find: '    if (tried?.includes(slot)) continue\n',
      replace: '    if (best !== null || tried?.includes(slot)) continue\n',
    },
  ],
}
