// The runtime tells a client the result of the run before its own.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/api/runs.ts',
  what: 'a run is answered with the result of another',
  checker: 'no-cross-talk',
  scenario: 'smoke',
  edits: [
    {
      find: '  const outcome = run.inputs.length === 1 ? run.outcome(0) : undefined\n',
      replace: `  const shared = globalThis as { defectRun?: Run }
  const other = shared.defectRun ?? run
  shared.defectRun = run
  const outcome = run.inputs.length === 1 ? other.outcome(0) : undefined
`,
    },
  ],
}
