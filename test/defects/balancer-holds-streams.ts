// The balancer keeps the events of a stream until the stream ends.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/event-stream.ts',
  what: 'streams are buffered whole',
  checker: 'none-hangs',
  scenario: 'smoke',
  edits: [
    {
      find: '    const whole = end ? text.length : completeUtf8(text)\n',
      replace: '    const whole = end ? text.length : Math.min(0, completeUtf8(text))\n',
    },
  ],
}
