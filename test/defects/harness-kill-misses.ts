// A pod deleted at once is not deleted at all.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'harness/cluster/local/local-cluster.ts',
  what: 'a kill is reported and does not happen',
  checker: 'kills-land',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: `    await this.#link.request({ kind: 'delete', name, gracePeriodMs })`,
      replace: `    if (gracePeriodMs !== 0) await this.#link.request({ kind: 'delete', name, gracePeriodMs })`,
    },
  ],
}
