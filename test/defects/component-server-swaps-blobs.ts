// The component server hands a component the blob that another call asked for.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/context.ts',
  what: 'a call gets the blob of the call before it',
  checker: 'no-cross-talk',
  scenario: 'affinity',
  edits: [
    {
      find: "  return new RawJson((result && member(result, 'data')) ?? toJson(null))\n",
      replace: `  const own = new RawJson((result && member(result, 'data')) ?? toJson(null))
  const shared = globalThis as { defectBlob?: RawJson }
  const other = shared.defectBlob ?? own
  shared.defectBlob = own
  return other
`,
    },
  ],
}
