// Keeps long work that never waits from holding up everything else: it goes on in the next turn of the loop.

/** Milliseconds of one turn of the event loop that runs may take before others get theirs. */
const turnMs = 5

let since = 0
let counting = false

/** Whether the work of this turn has gone on for so long that it should wait for the next. */
export function outOfBreath(): boolean {
  if (counting) return performance.now() - since > turnMs
  counting = true
  since = performance.now()
  setImmediate(() => {
    counting = false
  })
  return false
}

/** Resolves at once, or in the next turn where this one has gone on for long. */
export function breath(): Promise<void> | undefined {
  return outOfBreath() ? new Promise((resolve) => setImmediate(resolve)) : undefined
}
