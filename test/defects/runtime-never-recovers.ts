// After calls that broke the runtime is ever more careful, and stays so.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/executor/run.ts',
  what: 'each broken call makes every later step wait 100 ms longer, up to 2 s, for good',
  blind: true,
  checker: 'goodput-returns',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: `    this.#attempt({ item, step, input, target, slot }, 1)
`,
      replace: `    const { broken = 0 } = globalThis as { broken?: number }
    if (broken === 0) this.#attempt({ item, step, input, target, slot }, 1)
    else {
      setTimeout(() => this.#attempt({ item, step, input, target, slot }, 1), Math.min(2_000, broken * 100))
    }
`,
    },
    {
      find: `    const { onError } = definition
`,
      replace: `    const { onError } = definition
    if (result.kind === 'broken') {
      const counts = globalThis as { broken?: number }
      counts.broken = (counts.broken ?? 0) + 1
    }
`,
    },
  ],
}
