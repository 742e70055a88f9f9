// A call of a program that is being started again waits for it: no longer than the step may take, and not when cancelled.

import type { CallOutcome, StepCall } from './plugin.ts'
import { type Break, cancelled, notThere, pastDeadline } from './stepflow/breaks.ts'

export type Awaited<T> = { readonly program: T } | { readonly broken: CallOutcome }

/**
 * Waits for `starting`; what ends the wait otherwise is how the call breaks, which surely ran nothing.
 * @param stepMs ms that the whole call may take
 * @param leftMs what is left of them
 */
export function awaitProgram<T>(
  starting: Promise<T>,
  call: StepCall,
  stepMs: number,
  leftMs = stepMs,
): Promise<Awaited<T>> {
  return new Promise((resolve) => {
    const end = (by: Awaited<T>): void => {
      clearTimeout(timer)
      resolve(by)
    }
    const timer = setTimeout(() => end({ broken: brokenBy(pastDeadline(stepMs)) }), leftMs)
    call.onCancel(() => end({ broken: brokenBy(cancelled) }))
    starting.then(
      (program) => end({ program }),
      (error: unknown) => end({ broken: brokenBy(notThere(error)) }),
    )
  })
}

function brokenBy({ causes, reason }: Break): CallOutcome {
  return { kind: 'broken', causes, details: { reason }, unsent: true }
}
