// Numbers as Stepflow (serde_json) reads and prints them: integers of 64 bits exact, all else a double.

const least = -(2n ** 63n)
const most = 2n ** 64n - 1n

/**
 * The canonical form of a JSON number: `1.0` and `1e-7` stay, `1e3` becomes `1000.0`, `-0` becomes `-0.0`,
 * integers beyond 64 bits become floats. Null where it is beyond the range of a double.
 */
export function writeNumber(literal: string): string | null {
  if (/^-?\d+$/.test(literal) && literal !== '-0') {
    if (literal.length <= 16) return literal
    const value = BigInt(literal)
    if (value >= least && value <= most) return literal
  }
  const value = readFloat(literal)
  return value === null ? null : writeFloat(value)
}

const powers = Array.from({ length: 309 }, (_, exponent) => Number(`1e${exponent}`))

/**
 * The double that serde_json makes of a literal: digits as far as 64 bits hold them, times or over a power of
 * ten. For long literals that is not the nearest double, but ids of flows and blobs depend on it.
 */
function readFloat(literal: string): number | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal)
  if (match === null) return null
  const [, sign, whole = '', fraction = '', exponentText = '0'] = match
  let significand = 0n
  let exponent = 0
  let full = false
  for (const digit of whole) {
    const next = significand * 10n + BigInt(digit)
    full ||= next > most
    if (full) exponent++
    else significand = next
  }
  for (const digit of fraction) {
    const next = significand * 10n + BigInt(digit)
    if (next > most) break
    significand = next
    exponent--
  }
  const value = scale(Number(significand), exponent + Number(exponentText))
  return value === null ? null : sign === '-' ? -value : value
}

function scale(value: number, exponent: number): number | null {
  while (value !== 0 && Math.abs(exponent) > 308) {
    if (exponent > 0) return null
    value /= 1e308
    exponent += 308
  }
  if (value === 0) return value
  const power = powers[Math.abs(exponent)] as number
  const scaled = exponent >= 0 ? value * power : value / power
  return Number.isFinite(scaled) ? scaled : null
}

/** The shortest text of a double, always recognisable as a float. */
export function writeFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const sign = value < 0 ? '-' : ''
  const match = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(Math.abs(value).toExponential())
  const digits = `${match?.[1] ?? '0'}${match?.[2] ?? ''}`
  const exponent = Number(match?.[3])
  // Where the decimal point stands in `digits`; the bounds are those of serde_json's printer.
  const point = exponent + 1
  if (point > 0 && point <= 16) {
    return point >= digits.length
      ? `${sign}${digits.padEnd(point, '0')}.0`
      : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
  }
  if (point > -5 && point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  const mantissa = digits.length === 1 ? digits : `${digits.slice(0, 1)}.${digits.slice(1)}`
  return `${sign}${mantissa}e${exponent < 0 ? '' : '+'}${exponent}`
}
