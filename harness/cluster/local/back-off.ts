// When a program that ended is started again: at once, then ever later while it keeps ending.

export interface BackOffSettings {
  readonly backOffMs: number
  readonly backOffLimitMs: number
  readonly backOffResetMs: number
}

export interface Restart {
  /** Pause before the restart. */
  readonly delayMs: number
  /** To be handed in at the next end. */
  readonly nextMs: number
}

/**
 * The kubelet's rule, with shorter times: the first restart has no pause, each further one twice the last
 * one's up to a limit; a program that ran for long enough starts over.
 * @param nextMs `nextMs` of the last decision, 0 at first
 */
export function restartAfter(nextMs: number, ranMs: number, settings: BackOffSettings): Restart {
  const delayMs = ranMs >= settings.backOffResetMs ? 0 : nextMs
  const doubled = delayMs === 0 ? settings.backOffMs : delayMs * 2
  return { delayMs, nextMs: Math.min(doubled, settings.backOffLimitMs) }
}
