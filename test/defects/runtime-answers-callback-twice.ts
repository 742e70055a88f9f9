// The runtime sends its reply to each 5th callback twice.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/plugins/stepflow/call.ts',
  what: 'some callbacks are answered twice',
  checker: 'affinity',
  scenario: 'affinity',
  edits: [
    {
      find: '    const reply = sendReply(client, body, pod ?? null)\n',
      replace: `    const reply = sendReply(client, body, pod ?? null)\n    if (${eachTime(5)}) void reply.done.then(() => sendReply(client, body, pod ?? null))\n`,
    },
  ],
}
