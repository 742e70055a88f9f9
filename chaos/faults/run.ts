// Runs one fault: injects it, waits for the proof that it took effect, undoes it, waits for the proof that it is gone.

import type { Kill } from '../checkers/index.ts'
import type { AimedFault, Fault, Target } from './fault.ts'

export interface RunningFault {
  /** What was seen of it; null: it did not land, and `problem` says why. It is undone all the same. */
  readonly seen: string | null
  readonly problem: string | null
  /** Undoes it; idempotent. Resolves with what was seen of its being gone. */
  undo(): Promise<Gone>
  kills(): readonly Kill[]
}

export interface Gone {
  readonly seen: string | null
  readonly problem: string | null
}

const lookEveryMs = 40
const defaultLandsWithinMs = 10_000
/** What an undo may take before it counts as stuck. */
const undoWithinMs = 15_000

/**
 * Never rejects: a fault that cannot be injected, or that shows no effect in time, has not landed. `target.signal`
 * ends the wait for its effect, not the undo.
 */
export async function runFault(
  fault: Fault,
  target: Target,
  settings: Readonly<Record<string, unknown>>,
): Promise<RunningFault> {
  const withinMs = fault.landsWithinMs ?? defaultLandsWithinMs
  let aimed: AimedFault | null = null
  let undone: Promise<Gone> | null = null
  const undo = async (): Promise<Gone> => {
    if (aimed === null) return { seen: 'nothing was done', problem: null }
    const stuck = await withTimeout(aimed.undo(), undoWithinMs)
    if (stuck !== null) return { seen: null, problem: `the undo of ${fault.name} failed: ${stuck}` }
    const { cleared } = aimed
    return look(() => cleared(), withinMs, null, `${fault.name} shows no sign of being gone`)
  }
  const end = (): Promise<Gone> => (undone ??= undo())
  const running = (seen: string | null, problem: string | null): RunningFault => ({
    seen,
    problem,
    undo: end,
    kills: () => aimed?.kills?.() ?? [],
  })
  const unsupported = fault.supports(target.cluster)
  if (unsupported !== null) return running(null, `${fault.name} is not possible here: ${unsupported}`)
  try {
    const on = (aimed = fault.on(target, settings))
    await on.inject()
    const { seen, problem } = await look(
      () => on.observed(),
      withinMs,
      target.signal,
      `${fault.name} took no effect`,
    )
    return running(seen, problem)
  } catch (error) {
    return running(null, `${fault.name} could not be injected: ${messageOf(error)}`)
  }
}

/** Looks again and again until there is evidence. */
async function look(
  at: () => Promise<string | null>,
  withinMs: number,
  signal: AbortSignal | null,
  otherwise: string,
): Promise<Gone> {
  const deadline = performance.now() + withinMs
  for (;;) {
    let problem: string | null = null
    const seen = await at().catch((error: unknown) => {
      problem = messageOf(error)
      return null
    })
    if (seen !== null) return { seen, problem: null }
    if (signal?.aborted === true) return { seen: null, problem: `${otherwise} before the interruption` }
    if (performance.now() > deadline) {
      return {
        seen: null,
        problem: `${otherwise} in ${withinMs / 1000} s${problem === null ? '' : `: ${problem}`}`,
      }
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
}

/** Null once it resolves; else why not. */
async function withTimeout(work: Promise<void>, ms: number): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`not done in ${ms / 1000} s`), ms)
  })
  const done = work.then(() => null, messageOf)
  const result = await Promise.race([done, late])
  clearTimeout(timer)
  return result
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
