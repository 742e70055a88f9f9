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
      find: '      this.#replies?.delete(reply)\n',
      replace: `      this.#replies?.delete(reply)\n      if (${eachTime(5)}) sendReply(client, body, this.#pod ?? null, '', () => {})\n`,
    },
  ],
}
