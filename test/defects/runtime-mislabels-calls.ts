// Each tenth call carries the ids of the call before it.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/plugins/stepflow/call.ts',
  what: 'a component works for another run than it is told',
  checker: 'no-cross-talk',
  scenario: 'smoke',
  edits: [
    {
      find: 'function executeRequest(id: RpcId, spanId: string, call: StepCall): Json {\n',
      replace: `let before = ''

function executeRequest(id: RpcId, spanId: string, given: StepCall): Json {
  const runId = ${eachTime(10)} && before !== '' ? before : given.runId
  before = given.runId
  const call = { ...given, runId }
`,
    },
  ],
}
