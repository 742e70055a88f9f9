import { join } from 'node:path'
import { test } from 'tap'
import { importedPackages, packageFiles, projectFiles } from './contents.ts'
import { definitions } from './definitions.ts'

const root = join(import.meta.dirname, '..')

test('finds packages in every kind of import, and not what Node or the project has', async (t) => {
  const text = [
    "import pino from 'pino'",
    "import { x } from '@scope/name/deep/file.js'",
    "import 'side'",
    "await import('late')",
    "import { y } from './own.ts'",
    "import { readFileSync } from 'node:fs'",
    "import path from 'path'",
  ].join('\n')
  t.same([...importedPackages(text)].sort(), ['@scope/name', 'late', 'pino', 'side'])
})

test('takes the balancer with its packages, and no test', async (t) => {
  const files = projectFiles(root, ['system/balancer/**/*.ts', 'system/program/*.ts', 'contracts/*.ts'])
  const paths = files.map(({ path }) => path)
  t.ok(paths.includes('app/system/balancer/main.ts'))
  t.notOk(paths.some((path) => path.endsWith('.test.ts')))
  const packages = packageFiles(root, files).map(({ path }) => path)
  t.ok(packages.includes('app/node_modules/pino/package.json'))
  t.notOk(packages.some((path) => path.startsWith('app/node_modules/tap/')))
})

test('refuses a pattern that matches nothing', async (t) => {
  t.throws(() => projectFiles(root, ['no/such/*.ts']), { code: 'ERR_CONFIG_FIELD' })
})

test('no image takes along what was measured on this machine', async (t) => {
  for (const { files } of definitions) {
    const paths = projectFiles(root, files).map(({ path }) => path)
    t.same(
      paths.filter((path) => path.includes('reports/out')),
      [],
    )
  }
})
