// A component server leaves each tenth direct answer out of its records.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/calls.ts',
  what: 'executions are counted and not recorded',
  checker: 'history-complete',
  scenario: 'smoke',
  edits: [
    {
      find: `      text = resultText(message.id, component, output)
    } catch`,
      replace: `      text = resultText(message.id, component, output)
      if (${eachTime(10)}) {
        count.ended('success', performance.now() - startedAt)
        answer.send(200, text)
        return
      }
    } catch`,
    },
  ],
}
