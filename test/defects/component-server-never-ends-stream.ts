// The component server writes neither the last event of a stream nor its end.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/connection.ts',
  what: 'a stream neither brings its result nor ends',
  checker: 'streams-end',
  scenario: 'smoke',
  edits: [
    {
      find: "  endStream(json: Parameters<Answer['endStream']>[0]): void {\n    if (!this.#open) return\n",
      replace:
        "  endStream(json: Parameters<Answer['endStream']>[0]): void {\n    if (json !== null) return\n",
    },
  ],
}
