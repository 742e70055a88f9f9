// Of pods that bear one instance id the balancer knows only the first (as Stepflow's own, whose pods are keyed by it).

import { defect as sharedIds } from './component-server-shares-instance-id.ts'
import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/discovery/directory.ts',
  what: 'pods with the same instance id collapse into one: the others get no work',
  checker: 'fairness',
  scenario: 'simple-runs.yaml',
  edits: [
    {
      find: `      this.alarms.duplicate++
`,
      replace: `      this.hold(key, true)
`,
    },
  ],
  also: sharedIds,
}
