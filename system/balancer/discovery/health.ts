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
}

/** Bad signs that end a pod's work, and good ones that let it back. */
export const fallAfter = 3
export const riseAfter = 2

export const newHealth: Health = { up: false, fresh: true, streak: 0 }

/** The state after `sign`. */
export function nextHealth(health: Health, sign: Sign): Health {
  if (sign === 'busy') return health
  if (health.up) {
    if (sign === 'good') return health.streak === 0 ? health : { ...health, streak: 0 }
    if (sign === 'fault' || health.streak + 1 >= fallAfter) return { up: false, fresh: false, streak: 0 }
    return { ...health, streak: health.streak + 1 }
  }
  if (sign !== 'good') return { ...health, streak: 0 }
  if (health.fresh || health.streak + 1 >= riseAfter) return { up: true, fresh: false, streak: 0 }
  return { ...health, streak: health.streak + 1 }
}
