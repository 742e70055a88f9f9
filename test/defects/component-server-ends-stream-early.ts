// The component server ends each 5th stream without the event that has the result.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/connection.ts',
  what: 'some streams end before their result',
  checker: 'no-run-failed',
  scenario: 'smoke',
  edits: [
    {
      find: "  endStream(json: Parameters<Answer['endStream']>[0]): void {\n    if (!this.#open) return\n    this.#open = false\n",
      replace: `  endStream(json: Parameters<Answer['endStream']>[0]): void {
    if (!this.#open) return
    this.#open = false
    if (${eachTime(5)}) {
      this.#connection.write(this.#chunked ? '0\\r\\n\\r\\n' : '', 'latin1')
      this.#connection.answered(this.#keepAlive)
      return
    }
`,
    },
  ],
}
