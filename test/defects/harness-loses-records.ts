// The merged history leaves out every 50th record.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'harness/history/merge.ts',
  what: 'records are lost while histories are merged',
  checker: 'history-complete',
  scenario: 'smoke',
  edits: [
    {
      find: '  return parts.flat().sort((a, b) => a.at - b.at)',
      replace: '  return parts.flat().sort((a, b) => a.at - b.at).filter((_, index) => index % 50 !== 49)',
    },
  ],
}
