// FAIL ends with exit code 0.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'contracts/exit-codes.ts',
  what: 'a script that looks at the exit code never hears of a FAIL',
  checker: 'judges-awake',
  scenario: 'smoke',
  edits: [
    {
      find: `verdict === 'FAIL' ? exitCodes.fail : exitCodes.invalid`,
      replace: `verdict === 'FAIL' ? exitCodes.pass : exitCodes.invalid`,
    },
  ],
}
