// Figures and times as people read them: shared by the judge's reasons and by every format.

/** A number with at most `digits` significant digits and thousands separated: 12,345 or 4.21. */
export function formatNumber(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return String(value)
  return english.format(
    Math.abs(value) >= 10 ** digits ? Math.round(value) : Number(value.toPrecision(digits)),
  )
}

/** Made once: making one costs more than a thousand uses. */
const english = new Intl.NumberFormat('en-US', { maximumFractionDigits: 9 })

/** `formatNumber` with its unit; a ratio has none, and a null reads "none". */
export function formatQuantity(value: number | null, unit: string, digits = 3): string {
  if (value === null) return 'none'
  const number = formatNumber(value, digits)
  return unit === '' || unit === 'ratio' ? number : `${number} ${unit}`
}

/**
 * `measured` beside `target` with as many digits as it takes to tell them apart: a measured 10.004 against
 * at most 10 must not read as 10.
 */
export function formatAgainst(measured: number, target: number, unit: string): string {
  // Ratios near 1 differ in their last digits: 0.9997, not 1.
  for (let digits = unit === 'ratio' ? 4 : 3; digits < 9; digits += 1) {
    if (measured === target || formatNumber(measured, digits) !== formatNumber(target, digits)) {
      return formatQuantity(measured, unit, digits)
    }
  }
  return formatQuantity(measured, unit, 15)
}

/** `1.24 s`, `48.2 s`, `3 min 5 s`, `2 h 4 min`. */
export function formatDurationMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${formatNumber(ms / 1_000)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return joined(Math.floor(seconds / 60), 'min', seconds % 60, 's')
  const minutes = Math.round(seconds / 60)
  return joined(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** `1 run`, `2 runs`, `1,204 runs`. */
export function plural(count: number, noun: string, plurals = `${noun}s`): string {
  return `${english.format(count)} ${count === 1 ? noun : plurals}`
}

/** Control characters (a terminal obeys them) and line ends as spaces; cut to `limit` characters. */
export function oneLine(text: string, limit = 500): string {
  const flat = text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .trim()
  return flat.length > limit ? `${flat.slice(0, limit - 1)}…` : flat
}

/** A capital at the start; a name such as `p95`, or code in backticks, keeps its own. */
export function capital(text: string): string {
  return /^[a-z]+\d/.test(text) ? text : text.slice(0, 1).toUpperCase() + text.slice(1)
}

/** `capital` with a full stop at the end, where there is none. */
export function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? capital(text) : `${capital(text)}.`
}
