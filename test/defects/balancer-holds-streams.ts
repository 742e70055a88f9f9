// The balancer keeps the events of a stream until the stream ends.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/relay.ts',
  what: 'streams are buffered whole',
  checker: 'none-hangs',
  scenario: 'smoke',
  edits: [
    {
      find: '      const whole = step === bodyDone ? payload.length : completeUtf8(payload)\n',
      replace:
        '      const whole = step === bodyDone ? payload.length : Math.min(0, completeUtf8(payload))\n',
    },
  ],
}
