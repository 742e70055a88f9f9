// The runtime tries a call that broke once more, although its flow asks for no retry.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/executor/run.ts',
  what: 'a call that broke off is made again: its component runs twice',
  blind: true,
  checker: 'effects',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: `    if (onError.action === 'retry' && attempt < onError.maxAttempts) {`,
      replace: `    if (attempt < (onError.action === 'retry' ? onError.maxAttempts : result.kind === 'broken' ? 2 : 1)) {`,
    },
  ],
}
