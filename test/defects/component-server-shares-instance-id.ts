// All component servers call themselves by one instance id.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/main.ts',
  what: 'the instance id is the same in every pod',
  checker: 'affinity',
  scenario: 'smoke',
  edits: [
    {
      find: "checkInstanceId(values['instance-id'] ??",
      replace: "checkInstanceId('component-server-0badcafe' ??",
    },
  ],
}
