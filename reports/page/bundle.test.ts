// Tests of the bundle: modules in order, scopes apart, and everything it cannot join refused by file.

import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { bundle } from './bundle.ts'

/** Runs a bundle with a place to leave a result. */
function result(code: string): unknown {
  const context = { left: undefined as unknown }
  runInNewContext(code, context)
  return context.left
}

t.test('runs each module once, after those it imports, with names of its own', async (t) => {
  const folder = t.testdir({
    'main.ts': [
      "import { add as plus, type Sum } from './add.ts'",
      "import { base } from './base.ts'",
      "import type { Nothing } from './missing.ts'",
      'const hidden: Sum = 1',
      'declare let left: unknown',
      'left = [plus(hidden), base]',
    ].join('\n'),
    'add.ts': [
      "import { base } from './base.ts'",
      'export type Sum = number',
      'const hidden = 10',
      'export function add(value: Sum): Sum {\n  return value + hidden + base\n}',
    ].join('\n'),
    'base.ts': 'let loads = 0\nloads += 100\nexport const base = loads\n',
  })
  t.strictSame([...(result(bundle(join(folder, 'main.ts'))) as number[])], [111, 100])
})

t.test('refuses what a page cannot load or the bundle cannot join', async (t) => {
  const folder = t.testdir({
    'package.ts': "import { x } from 'uplot'\nx()\n",
    'default.ts': 'export default 1\n',
    'star.ts': "import * as all from './default.ts'\nall\n",
  })
  t.throws(() => bundle(join(folder, 'package.ts')), /imports uplot, which a page cannot load/)
  t.throws(() => bundle(join(folder, 'default.ts')), /cannot join export default/)
  t.throws(() => bundle(join(folder, 'star.ts')), /cannot join import \* as all/)
})

t.test('the page itself is a script that a browser can read', async (t) => {
  const { emitWarning } = process
  t.doesNotThrow(() => new Function(bundle(join(import.meta.dirname, 'browser/main.ts'))))
  t.equal(process.emitWarning, emitWarning, 'warnings are silent for as long as it takes only')
})
