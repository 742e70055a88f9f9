// The checker of affinity looks at nothing.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'chaos/checkers/affinity.ts',
  what: 'a checker reads nothing',
  checker: 'judges-awake',
  scenario: 'smoke',
  edits: [
    {
      find: '    for (const callback of operations.callbacks.values()) {',
      replace: '    for (const callback of [...operations.callbacks.values()].slice(1e9)) {',
    },
  ],
}
