// The runtime tells a client the result of the run that ended before its own.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/api/runs.ts',
  what: 'a run is answered with the result of another',
  checker: 'no-cross-talk',
  scenario: 'smoke',
  edits: [
    {
      find: 'run.whenEnded(() => resolve({ status: 200, body: writeCreated(run) }))',
      replace: `run.whenEnded(() => {
      const shared = globalThis as { defectRun?: Run }
      const other = shared.defectRun ?? run
      shared.defectRun = run
      resolve({ status: 200, body: writeCreated(other).replace(other.id, run.id) })
    })`,
    },
  ],
}
