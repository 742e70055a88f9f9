// The runtime counts each 5th run that ends as still in flight.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/executor/executor.ts',
  what: 'the count of runs in flight leaks',
  checker: 'in-flight-returns',
  scenario: 'smoke',
  edits: [
    {
      find: '    inFlight--\n',
      replace: `    if (!${eachTime(5)}) inFlight--\n`,
    },
  ],
}
