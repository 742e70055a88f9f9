// The runtime reads each 5th callback and never answers it.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/plugins/stepflow/call.ts',
  what: 'some callbacks are never answered',
  checker: 'none-hangs',
  scenario: 'smoke',
  edits: [
    {
      find: '    const reply = sendReply(client, body, pod ?? null)\n',
      replace: `    if (${eachTime(5)}) return\n    const reply = sendReply(client, body, pod ?? null)\n`,
    },
  ],
}
