// Tests of numbers as Stepflow prints them.

import fc from 'fast-check'
import t from 'tap'
import { writeFloat, writeNumber } from './json-number.ts'

t.test('keeps integers of 64 bits and makes longer ones floats', async (t) => {
  t.equal(writeNumber('0'), '0')
  t.equal(writeNumber('-1'), '-1')
  t.equal(writeNumber('18446744073709551615'), '18446744073709551615')
  t.equal(writeNumber('18446744073709551616'), '1.8446744073709552e+19')
  t.equal(writeNumber('-9223372036854775808'), '-9223372036854775808')
  t.equal(writeNumber('-9223372036854775809'), '-9.223372036854776e+18')
})

t.test('writes floats with a point or an exponent', async (t) => {
  t.equal(writeNumber('1.0'), '1.0')
  t.equal(writeNumber('1.50'), '1.5')
  t.equal(writeNumber('1e15'), '1000000000000000.0')
  t.equal(writeNumber('1e16'), '1e+16')
  t.equal(writeNumber('12345.6789e-3'), '12.3456789')
  t.equal(writeNumber('0.00001'), '0.00001')
  t.equal(writeNumber('-1e-6'), '-1e-6')
  t.equal(writeNumber('0e5'), '0.0')
  t.equal(writeNumber('1e309'), null)
  t.equal(writeNumber('1e-400'), '0.0')
  t.equal(writeNumber('0e999'), '0.0')
})

t.test('reads long literals as serde_json does, which is not to the nearest double', async (t) => {
  t.equal(writeNumber('123456789012345678901'), '1.2345678901234567e+20')
  t.equal(writeNumber('123456789012345678901234567890'), '1.2345678901234568e+29')
  t.equal(writeNumber('0.12345678901234567890123'), '0.12345678901234568')
})

t.test('loses nothing of any double', async () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
      Object.is(Number(writeFloat(value)), value),
    ),
    { seed: 7 },
  )
})
