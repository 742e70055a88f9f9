// The runtime keeps one pod for all calls: that of the last answer.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/plugins/stepflow/call.ts',
  what: 'a reply to a callback goes to the pod that answered last, whichever asked',
  blind: true,
  checker: 'affinity',
  scenario: 'smoke',
  edits: [
    {
      find: `    this.#pod = instanceId
`,
      replace: `    this.#pod = instanceId
    if (instanceId !== undefined) Object.assign(globalThis, { lastPod: instanceId })
`,
    },
    {
      find: `    const reply = sendReply(client, body, this.#pod ?? null, this.#traceHead, (delivery) => {
`,
      replace: `    const last = (globalThis as { lastPod?: string }).lastPod
    const reply = sendReply(client, body, last ?? this.#pod ?? null, this.#traceHead, (delivery) => {
`,
    },
  ],
}
