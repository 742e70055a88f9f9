// A component server keeps every message it has received.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/calls.ts',
  what: 'every message stays in memory, with 64 KiB beside it',
  blind: true,
  checker: 'trends-flat',
  scenario: 'soak',
  edits: [
    {
      find: `    const message = readMessage(body)
`,
      replace: `    const message = readMessage(body)
    const kept = globalThis as { messages?: unknown[] }
    kept.messages ??= []
    kept.messages.push({ message, copy: Buffer.alloc(65_536, 1) })
`,
    },
  ],
}
