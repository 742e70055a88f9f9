// Tests of the import directions: a planted import in the wrong direction is found.

import t from 'tap'
import { importsOf, importViolations } from './check-imports.ts'

const rules = { contracts: [], chaos: ['contracts'], 'system/wire': ['contracts'], harness: ['chaos'] }

t.test('finds an import in a direction that no rule allows', async (t) => {
  const file = { path: 'chaos/checkers/a.ts', text: "import { x } from '../../system/wire/sse.ts'\n" }
  t.strictSame(importViolations([file], rules), [
    'chaos/checkers/a.ts: chaos may not import system/wire/sse.ts',
  ])
})

t.test('finds it in exports, type imports, dynamic and multi-line imports', async (t) => {
  const text = [
    "export * from '../harness/a.ts'",
    "import type {\n  B,\n} from '../harness/b.ts'",
    "const c = await import('../harness/c.ts')",
    "import '../harness/d.ts'",
  ].join('\n')
  t.strictSame(importsOf({ path: 'chaos/a.ts', text }), [
    'harness/a.ts',
    'harness/b.ts',
    'harness/c.ts',
    'harness/d.ts',
  ])
  t.equal(importViolations([{ path: 'chaos/a.ts', text }], rules).length, 4)
})

t.test('allows the own folder and what the rule names', async (t) => {
  const text =
    "import { a } from './a.ts'\nimport { b } from '../contracts/errors.ts'\nimport fs from 'node:fs'\n"
  t.strictSame(importViolations([{ path: 'chaos/b.ts', text }], rules), [])
})

t.test('finds a folder without a rule', async (t) => {
  t.match(importViolations([{ path: 'other/a.ts', text: '' }], rules)[0], /no rule/)
})
