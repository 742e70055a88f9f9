// The builtin plugin: components that run inside the runtime.

import type { BuiltinContext } from '../builtins/builtin.ts'
import { builtins } from '../builtins/index.ts'
import type { CallOutcome, Plugin, StepCall } from './plugin.ts'
import { type Break, pastDeadline } from './stepflow/breaks.ts'

export function createBuiltinPlugin(context: BuiltinContext): Plugin {
  const byName = new Map(builtins.map((builtin) => [builtin.info.component, builtin]))
  return {
    start: async () => {},
    execute(call) {
      const builtin = byName.get(call.component)
      if (builtin !== undefined) {
        const { stepMs } = call.timeouts
        // Only a route gives a built-in a deadline: those that wait do so for steps, which have their own.
        return stepMs === undefined
          ? builtin.run(call, context)
          : within(stepMs, call, (watched) => builtin.run(watched, context))
      }
      return { kind: 'broken', causes: [{ error: `unknown component: ${call.component}` }], details: {} }
    },
    components: async () => builtins.map((builtin) => builtin.info),
    close: async () => {},
  }
}

/** Runs `work`; where it takes too long it is told as if the run had been cancelled, and the call breaks. */
function within(
  stepMs: number,
  call: StepCall,
  work: (call: StepCall) => CallOutcome | Promise<CallOutcome>,
): CallOutcome | Promise<CallOutcome> {
  const listeners: (() => void)[] = []
  const outcome = work({
    ...call,
    onCancel(listener) {
      listeners.push(listener)
      call.onCancel(listener)
    },
  })
  if (!(outcome instanceof Promise)) return outcome
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      const { causes, reason }: Break = pastDeadline(stepMs)
      resolve({ kind: 'broken', causes, details: { reason } })
      for (const listener of listeners) listener()
    }, stepMs)
    void outcome.then((value) => {
      clearTimeout(timer)
      resolve(value)
    })
  })
}
