// What a built-in component is: a schema for its input, one for its output, and a function.

import type { TObject, TSchema } from '@sinclair/typebox'
import type { Flow } from '../../wire/flow.ts'
import { type Json, toJson } from '../../wire/json.ts'
import { readShape, ShapeError } from '../../wire/json-shape.ts'
import { breath } from '../executor/breath.ts'
import type { Submission } from '../executor/executor.ts'
import type { Cause } from '../executor/failure.ts'
import type { Run } from '../executor/run.ts'
import type { CallOutcome, ComponentInfo, StepCall } from '../plugins/plugin.ts'
import type { BlobStore } from '../store/blobs.ts'
import { within } from '../trace.ts'

/** What built-ins may use. */
export interface BuiltinContext {
  readonly blobs: BlobStore
  readonly submit: (submission: Submission) => Run
  readonly runOf: (runId: string) => Run | undefined
  /** Folder that load_file may read below. */
  readonly root: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The members of an input whose shape has been checked. */
export type Fields = ReadonlyMap<string, Json>

export interface Builtin {
  readonly info: ComponentInfo
  /** Never throws. */
  run(call: StepCall, context: BuiltinContext): CallOutcome | Promise<CallOutcome>
}

/** Input that a built-in cannot use: the rest of the causes, in the words of Stepflow. */
export class BuiltinError extends Error {
  readonly causes: readonly Cause[]
  readonly attachment: string | undefined

  constructor(causes: readonly string[], attachment?: string) {
    super(causes.join(': '))
    this.name = 'BuiltinError'
    this.causes = causes.map((error) => ({ error }))
    this.attachment = attachment
  }
}

export interface BuiltinDefinition {
  /** `/put_blob` */
  readonly name: string
  readonly description: string
  readonly input: TObject
  readonly output: TSchema
  /** @throws BuiltinError, ShapeError */
  run(fields: Fields, call: StepCall, context: BuiltinContext): CallOutcome | Promise<CallOutcome>
}

export function defineBuiltin(definition: BuiltinDefinition): Builtin {
  return {
    info: {
      component: definition.name,
      description: definition.description,
      inputSchema: toJson(definition.input),
      outputSchema: toJson(definition.output),
    },
    run(call, context) {
      try {
        const result = definition.run(readShape(definition.input, call.input, []), call, context)
        return result instanceof Promise ? result.catch(outcomeOf) : result
      } catch (error) {
        return outcomeOf(error)
      }
    },
  }
}

export function succeed(value: string): CallOutcome {
  return { kind: 'success', value: value as Json }
}

function outcomeOf(error: unknown): CallOutcome {
  if (error instanceof ShapeError) return outcomeOf(new BuiltinError(['invalid input', error.problem]))
  if (!(error instanceof BuiltinError)) throw error
  const head: Cause = { error: 'error executing user-defined function' }
  return {
    kind: 'broken',
    causes: [
      error.attachment === undefined ? head : { ...head, attachments: [error.attachment] },
      ...error.causes,
    ],
    details: {},
  }
}

/** Runs flows as sub-runs of the call's run, which gives its slot up meanwhile, and waits for the end of each. */
export type RunSubflow = (flow: Flow, inputs: readonly Json[], maxItems?: number) => Promise<Run>

/** For one call; a run that has ended is not kept, however long the call goes on. */
export function subflowsOf(call: StepCall, context: BuiltinContext): RunSubflow {
  const { runId } = call
  let current: Run | null = null
  let cancelled = false
  // One listener for all: it stays until the call ends, and would keep its run for so long.
  call.onCancel(() => {
    cancelled = true
    current?.cancel()
  })
  return async (flow, inputs, maxItems) => {
    await breath()
    const parent = context.runOf(runId)
    // A call may be cancelled between two of its sub-runs, and by its deadline while the run goes on.
    if (parent === undefined || cancelled) throw new BuiltinError(['the run has ended'])
    const run = context.submit({
      flow,
      inputs,
      parent,
      trace: within(call),
      ...(maxItems === undefined ? {} : { maxItems }),
    })
    current = run
    call.yieldSlot()
    await new Promise<void>((resolve) => run.whenEnded(resolve))
    current = null
    return run
  }
}
