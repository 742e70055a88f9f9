// The runtime never uses a connection again, nor closes it.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/http/client.ts',
  what: 'a connection whose answer is complete is forgotten open: sockets leak',
  blind: true,
  checker: 'nothing-leaked',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: `      if (performance.now() - connection.bornAt >= lifeMs) connection.destroy()
      else idle.push(connection)
`,
      replace: '',
    },
  ],
}
