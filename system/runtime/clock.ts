// Wall-clock times with microseconds, and how the wire writes them.

/** ms since the epoch, with fractions of a millisecond. */
export type WallMs = number

export function wallNow(): WallMs {
  return performance.timeOrigin + performance.now()
}

/** RFC 3339 with as many fraction digits as needed: `2026-11-23T20:59:33.190651Z`. `zone` is `Z` or `+00:00`. */
export function writeTime(at: WallMs, zone: 'Z' | '+00:00' = 'Z'): string {
  const micros = Math.round(at * 1000)
  const text = new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1)
  const rest = micros % 1000
  if (rest !== 0) return `${text}${String(rest).padStart(3, '0')}${zone}`
  return text.endsWith('.000') ? `${text.slice(0, -4)}${zone}` : `${text}${zone}`
}
