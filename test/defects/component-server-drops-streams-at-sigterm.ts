// The component server ends its open calls with an error as soon as it is told to stop.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/server.ts',
  what: 'SIGTERM ends open streams at once',
  checker: 'no-run-failed',
  scenario: 'scale',
  edits: [
    {
      find: '      await Promise.race([calls.whenIdle(), passed])\n',
      replace: '',
    },
    {
      find: '      await delay(delayMs, undefined, { signal: deadline.signal }).catch(() => {})\n',
      replace: '      await delay(0, undefined, { signal: deadline.signal })\n',
    },
  ],
}
