// What a built-in component is, and how it reads its input.

import { type Json, kindOf, members } from '../../wire/json.ts'
import type { Executor } from '../executor/executor.ts'
import type { Run } from '../executor/run.ts'
import type { CallOutcome, ComponentInfo, StepCall } from '../plugins/plugin.ts'
import type { BlobStore } from '../store/blobs.ts'

/** What built-ins may use. */
export interface BuiltinContext {
  readonly blobs: BlobStore
  readonly executor: () => Executor
  readonly runOf: (runId: string) => Run | undefined
}

export interface Builtin {
  readonly info: ComponentInfo
  /** @throws BadInput */
  run(call: StepCall, context: BuiltinContext): CallOutcome | Promise<CallOutcome>
}

/** Input that a built-in cannot use; `problem` in the words of Stepflow. */
export class BadInput extends Error {
  readonly problem: string

  constructor(problem: string) {
    super(problem)
    this.name = 'BadInput'
    this.problem = problem
  }
}

/** The members of an input object. */
export function readFields(input: Json, type: string): ReadonlyMap<string, Json> {
  if (kindOf(input) !== 'object')
    throw new BadInput(`invalid type: ${kindOf(input)}, expected struct ${type}`)
  return new Map(members(input))
}

/** @throws BadInput where the field is absent */
export function need(fields: ReadonlyMap<string, Json>, name: string): Json {
  const value = fields.get(name)
  if (value === undefined) throw new BadInput(`missing field \`${name}\``)
  return value
}
