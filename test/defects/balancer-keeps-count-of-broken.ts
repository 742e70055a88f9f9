// A request whose answer broke off stays in the count of requests in flight.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/relay.ts',
  what: 'a request that did not end well is never taken off the count in flight of its pod',
  blind: true,
  checker: 'nothing-leaked',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: `      pods.leave(pod)
      metrics.finished(pod, method, status, durationMs)
`,
      replace: `      if (reason === null) pods.leave(pod)
      metrics.finished(pod, method, status, durationMs)
`,
    },
  ],
}
