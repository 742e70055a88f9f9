// `npm run coverage`: the test suite with V8 coverage of every process it starts, pods included, then c8's report.

import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'coverage')
const raw = join(folder, 'tmp')

rmSync(folder, { recursive: true, force: true })
mkdirSync(raw, { recursive: true })
const tests = spawnSync(process.execPath, [join(root, 'scripts/test.ts'), ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, NODE_V8_COVERAGE: raw },
})
const report = spawnSync(
  join(root, 'node_modules/.bin/c8'),
  [
    'report',
    `--temp-directory=${raw}`,
    `--reports-dir=${folder}`,
    '--reporter=text-summary',
    '--reporter=html',
    '--reporter=lcovonly',
    '--exclude=**/*.test.ts',
    '--exclude=test/**',
    '--exclude=coverage/**',
    '--all',
    ...['contracts', 'system', 'chaos', 'reports', 'harness', 'scenarios'].map(
      (part) => `--include=${part}/**`,
    ),
  ],
  { cwd: root, stdio: 'inherit' },
)
console.log(`coverage report: ${join(folder, 'index.html')}`)
process.exitCode = tests.status === 0 && report.status === 0 ? 0 : 1
