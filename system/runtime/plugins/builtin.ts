// The builtin plugin: components that run inside the runtime.

import { BadInput, type BuiltinContext } from '../builtins/builtin.ts'
import { builtins } from '../builtins/index.ts'
import type { CallOutcome, Plugin } from './plugin.ts'

export function createBuiltinPlugin(context: BuiltinContext): Plugin {
  const byName = new Map(builtins.map((builtin) => [builtin.info.component, builtin]))
  return {
    start: async () => {},
    execute(call) {
      const builtin = byName.get(call.component)
      if (builtin === undefined) {
        return {
          kind: 'broken',
          causes: [{ error: `unknown component: ${call.component}` }],
          details: { reason: 'unknown-component' },
        }
      }
      try {
        const result = builtin.run(call, context)
        return result instanceof Promise ? result.catch(outcomeOf) : result
      } catch (error) {
        return outcomeOf(error)
      }
    },
    components: async () => builtins.map((builtin) => builtin.info),
    close: async () => {},
  }
}

function outcomeOf(error: unknown): CallOutcome {
  if (!(error instanceof BadInput)) throw error
  return {
    kind: 'broken',
    causes: [
      { error: 'error executing user-defined function' },
      { error: 'invalid input' },
      { error: error.problem },
    ],
    details: { reason: 'bad-input' },
  }
}
