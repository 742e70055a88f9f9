// When a pod takes new work: at its first good answer; not after three bad ones or one transport fault.

/** What a health check, or the relay, saw. */
export type Sign =
  /** 2xx, status "healthy", an instance id. */
  | 'good'
  /** An answer that says otherwise. */
  | 'bad'
  /** No answer in time, and nothing else came from the pod meanwhile. */
  | 'slow'
  /** No answer in time, but the pod answered other requests meanwhile: it is busy, not broken. */
  | 'busy'
  /** Refused or reset. */
  | 'fault'

export interface Health {
  readonly up: boolean
  /** Has never been up. */
  readonly fresh: boolean
  /** Bad or slow signs in a row while up; good ones in a row while down. */
  readonly streak: number
  /** The sign that brought it down last. */
  readonly cause: Sign | null
}

/** Bad signs that end a pod's work, and good ones that let it back. */
export const fallAfter = 3
export const riseAfter = 2

export const newHealth: Health = { up: false, fresh: true, streak: 0, cause: null }

/**
 * The state after `sign`.
 * @param mayFall false: too many pods are out already, so mere signs of illness do not put this one out too;
 * a transport fault does all the same, as requests to it fail
 */
export function nextHealth(health: Health, sign: Sign, mayFall = true): Health {
  if (sign === 'busy') return health
  if (health.up) {
    if (sign === 'good') return health.streak === 0 ? health : { ...health, streak: 0 }
    const streak = Math.min(health.streak + 1, fallAfter)
    if (sign === 'fault' || (streak === fallAfter && mayFall)) {
      return { up: false, fresh: false, streak: 0, cause: sign }
    }
    return { ...health, streak }
  }
  if (sign !== 'good') return { ...health, streak: 0, cause: sign }
  if (health.fresh || health.streak + 1 >= riseAfter)
    return { up: true, fresh: false, streak: 0, cause: null }
  return { ...health, streak: health.streak + 1 }
}

/** Whether one more of `listed` pods may be put out when `out` of them are. */
export function mayFallToo(listed: number, out: number, maxPercent: number): boolean {
  return out + 1 <= Math.floor((listed * maxPercent) / 100)
}

/** Share of the work that a pod takes `sinceMs` after it came up, if it starts slowly over `overMs`. */
export function startWeight(sinceMs: number, overMs: number): number {
  // A tenth at first: enough to warm up.
  return sinceMs >= overMs ? 1 : Math.max(0.1, sinceMs / overMs)
}
