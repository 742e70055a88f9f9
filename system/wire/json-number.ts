// Numbers as Stepflow (serde_json) prints them: integers of 64 bits exact, all else the shortest float.

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
  const value = Number(literal)
  return Number.isFinite(value) ? writeFloat(value) : null
}

/** The shortest text of a double, always recognisable as a float. */
export function writeFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const sign = value < 0 ? '-' : ''
  const match = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(Math.abs(value).toExponential())
  const digits = `${match?.[1] ?? '0'}${match?.[2] ?? ''}`
  const exponent = Number(match?.[3])
  // Where the decimal point stands in `digits`; the bounds are those of the ryu crate's pretty printer.
  const point = exponent + 1
  if (point > 0 && point <= 16) {
    return point >= digits.length
      ? `${sign}${digits.padEnd(point, '0')}.0`
      : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
  }
  if (point > -5 && point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  const mantissa = digits.length === 1 ? digits : `${digits.slice(0, 1)}.${digits.slice(1)}`
  return `${sign}${mantissa}e${exponent}`
}
