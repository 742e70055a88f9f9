// The time base of histories: CLOCK_MONOTONIC, without the cost of a bigint for each reading.

const originUs = Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000

/** Whole µs of CLOCK_MONOTONIC, the same in every process of the machine. */
export function nowUs(): number {
  return Math.floor(originUs + performance.now() * 1000)
}
