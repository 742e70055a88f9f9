// The page of faults says what the registry says, fault by fault and setting by setting.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { faults } from '../../chaos/faults/index.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/faults.md'), 'utf8')
const rows = page
  .split('\n')
  .filter((line) => /^\| `/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  )

t.test('faults.md holds every fault and every setting', async (t) => {
  t.strictSame(
    rows.filter((row) => row.length === 4),
    Object.values(faults).map(({ name, what, lane, victim }) => [name, what, lane, victim]),
  )
  t.strictSame(
    rows.filter((row) => row.length === 5).map(([fault, setting]) => `${fault} ${setting}`),
    Object.values(faults).flatMap(({ name, settings }) =>
      Object.keys(settings.properties).map((setting) => `${name} ${setting}`),
    ),
  )
})
