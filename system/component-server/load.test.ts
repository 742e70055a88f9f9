// Tests of loading: a user's file gives its components, or an error that names file and export.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadComponents } from './load.ts'
import { createRegistry } from './registry.ts'
import { component, Type } from './sdk.ts'

const sdk = JSON.stringify(join(import.meta.dirname, 'sdk.ts'))
const head = `import { component, Type } from ${sdk}\nconst make = (name) => component({ name, input: Type.Object({}), run: () => 1 })\n`

const fileOf = async (t: Test, name: string, text: string): Promise<string> => {
  const file = join(t.testdir({}), name)
  await writeFile(file, text)
  return file
}

t.test('finds named exports and the default list, each component once', async (t) => {
  const file = await fileOf(
    t,
    'good.ts',
    `${head}export const a = make('a')\nexport const helper = 5\nexport default [a, make('b')]\n`,
  )
  const { from, components } = await loadComponents(file)
  t.equal(from, file)
  t.strictSame(components.map(({ path }) => path).sort(), ['/a', '/b'])
})

t.test('finds the example of the scenarios', async (t) => {
  const file = join(import.meta.dirname, '../../scenarios/components/hold.ts')
  t.match((await loadComponents(file)).components, [{ path: '/hold', context: true, raw: ['data'] }])
})

t.test('names the export that is no component', async (t) => {
  const file = await fileOf(
    t,
    'bad.ts',
    `${head}export const spec = { name: 'x', run() {} }\nexport default [make('a'), 5]\n`,
  )
  await t.rejects(loadComponents(file), {
    code: 'ERR_COMPONENT',
    message: /bad\.ts: export spec is no component/,
  })
  await t.rejects(loadComponents(file), { message: /export default\[1\] is no component/ })
})

t.test('names the file that exports none, has an error or is not there', async (t) => {
  await t.rejects(loadComponents(await fileOf(t, 'none.ts', 'export const a = 1\n')), {
    message: /none\.ts: exports no component/,
  })
  await t.rejects(loadComponents(await fileOf(t, 'broken.ts', 'export const a = (\n')), {
    code: 'ERR_COMPONENT',
    message: /broken\.ts: cannot be imported: .*SyntaxError/s,
  })
  await t.rejects(loadComponents('/nowhere/x.ts'), { message: /cannot be imported/ })
})

t.test('refuses two components of one name and says where they are from', async (t) => {
  const a = component({ name: 'a', input: Type.Object({}), run: () => 1 })
  const sources = [
    { from: 'the built-in components', components: [a] },
    { from: 'mine.ts', components: [{ ...a }] },
  ]
  t.throws(() => createRegistry(sources), {
    code: 'ERR_COMPONENT',
    message: /^mine\.ts: \/a is there already, from the built-in components/,
  })
})
