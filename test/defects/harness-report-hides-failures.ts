// The report leaves out what failed.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'reports/write.ts',
  what: 'failed judgements do not reach the report',
  checker: 'report-true',
  scenario: 'smoke',
  beside: 'runtime-miscounts-in-flight',
  edits: [
    {
      find: `    const text = formats['results.json'](results)
`,
      replace: `    const text = formats['results.json']({
      ...results,
      scenarios: results.scenarios.map((scenario) => ({
        ...scenario,
        judgements: scenario.judgements.filter(({ outcome }) => outcome !== 'fail'),
      })),
    })
`,
    },
  ],
}
