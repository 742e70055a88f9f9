// The items of a run are numbered by the time they ended.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/api/run-text.ts',
  what: `the list of a run's items has them by completion, numbered as if by input`,
  blind: true,
  checker: 'items-in-order',
  scenario: 'smoke',
  edits: [
    {
      find: `    ['items', writeItemList(run, [...run.inputs.keys()])],
`,
      replace: `    ['items', writeItemList(run, byCompletion(run))],
`,
    },
    {
      find: `    order.map((item) => {
      const outcome = run.outcome(item)
`,
      replace: `    order.map((item, place) => {
      const outcome = run.outcome(item)
`,
    },
    {
      find: `        ['itemIndex', toJson(item)],
`,
      replace: `        ['itemIndex', toJson(place)],
`,
    },
  ],
}
