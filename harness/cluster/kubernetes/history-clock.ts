// Puts the records of a pod on another machine onto this machine's clock.

/** Clocks of one machine differ by the rounding of `wallMs` and by what NTP slewed since; two machines' by far more. */
const sameMachineUs = 1_000_000

/**
 * µs to add to each `at` of a history: none on the same machine, where CLOCK_MONOTONIC is shared. On another it is as
 * exact as the two wall clocks agree.
 * @param started the first line of the history
 * @param originMs wall-clock ms of this machine's CLOCK_MONOTONIC zero
 */
export function shiftOf(started: string, originMs: number): number {
  const match = /^\{"at":(\d+(?:\.\d+)?),.*"wallMs":(\d+)/.exec(started)
  if (match === null) return 0
  const theirOriginUs = Number(match[2]) * 1000 - Number(match[1])
  const shift = Math.round(theirOriginUs - originMs * 1000)
  return Math.abs(shift) < sameMachineUs ? 0 : shift
}

/** Whole lines, objects and arrays, with each `at` moved. */
export function shiftLines(text: string, shiftUs: number): string {
  if (shiftUs === 0) return text
  return text.replace(
    /^(\{"at":|\["[^"]+",)(\d+(?:\.\d+)?)/gm,
    (_, before: string, at: string) => `${before}${Number(at) + shiftUs}`,
  )
}
