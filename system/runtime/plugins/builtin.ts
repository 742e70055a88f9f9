// The builtin plugin: components that run inside the runtime.

import type { BuiltinContext } from '../builtins/builtin.ts'
import { builtins } from '../builtins/index.ts'
import type { Plugin } from './plugin.ts'

export function createBuiltinPlugin(context: BuiltinContext): Plugin {
  const byName = new Map(builtins.map((builtin) => [builtin.info.component, builtin]))
  return {
    start: async () => {},
    execute(call) {
      const builtin = byName.get(call.component)
      if (builtin !== undefined) return builtin.run(call, context)
      return { kind: 'broken', causes: [{ error: `unknown component: ${call.component}` }], details: {} }
    },
    components: async () => builtins.map((builtin) => builtin.info),
    close: async () => {},
  }
}
