// The mock plugin: components whose answers stand in the configuration.

import { type Json, sameJson } from '../../wire/json.ts'
import type { FlowError } from '../executor/failure.ts'
import type { CallOutcome, Plugin } from './plugin.ts'

export type MockAnswer =
  | { readonly kind: 'success'; readonly value: Json }
  | { readonly kind: 'failed'; readonly error: FlowError }
  | { readonly kind: 'broken'; readonly text: string }

export interface MockComponent {
  /** `/name` */
  readonly name: string
  readonly inputSchema: Json
  readonly outputSchema: Json
  /** The first whose input equals the step's answers. */
  readonly behaviors: readonly { readonly input: Json; readonly answer: MockAnswer }[]
}

export function createMockPlugin(components: readonly MockComponent[]): Plugin {
  const byName = new Map(components.map((component) => [component.name, component]))
  return {
    start: async () => {},
    execute({ component: name, input }): CallOutcome {
      const component = byName.get(name)
      if (component === undefined) return broken('error importing user-defined function', [name])
      const answer = component.behaviors.find((behavior) => sameJson(behavior.input, input))?.answer
      if (answer === undefined) {
        return broken('error executing user-defined function', [
          `No behavior defined for ${name} on ${input}`,
        ])
      }
      if (answer.kind !== 'broken') return answer
      return { ...broken('error executing user-defined function', []), details: { reason: answer.text } }
    },
    components: async () =>
      components.map(({ name, inputSchema, outputSchema }) => ({
        component: name,
        inputSchema,
        outputSchema,
      })),
    close: async () => {},
  }
}

function broken(error: string, attachments: readonly string[]): CallOutcome & { readonly kind: 'broken' } {
  return { kind: 'broken', causes: [{ error }], details: {}, attachments }
}
