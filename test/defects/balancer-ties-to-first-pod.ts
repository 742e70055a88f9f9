// Among pods with as many requests in flight the balancer always takes the first.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/pick.ts',
  what: 'ties go to the pod with the lowest slot instead of taking turns',
  blind: true,
  checker: 'fairness',
  scenario: 'smoke',
  edits: [
    {
      find: `    const behind = slot > lastSlot
`,
      replace: `    const behind = lastSlot === -2 && slot > lastSlot
`,
    },
  ],
}
