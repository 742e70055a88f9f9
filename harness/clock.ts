// The one clock of a trial: CLOCK_MONOTONIC, which all processes of a machine share.

/** µs of CLOCK_MONOTONIC. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

/** Wall-clock ms of CLOCK_MONOTONIC zero. */
export function clockOriginMs(): number {
  return Date.now() - monotonicUs() / 1000
}
