// Tests of the lock file's completion: a planted gap is found and filled with what the name says.

import t from 'tap'
import { missingEntries } from './complete-lock.ts'

const tool = { version: '1.0.0', dev: true, optionalDependencies: { '@tool/cli-linux-arm64-musl': '1.0.0' } }

t.test('finds an optional package that no entry locks', async (t) => {
  t.strictSame(missingEntries({ packages: { 'node_modules/tool': tool } }), {
    'node_modules/@tool/cli-linux-arm64-musl': {
      version: '1.0.0',
      dev: true,
      optional: true,
      os: ['linux'],
      cpu: ['arm64'],
      libc: ['musl'],
    },
  })
})

t.test('leaves alone what is locked beside its user or above', async (t) => {
  const locked = { version: '1.0.0', optional: true }
  for (const place of ['node_modules/', 'node_modules/tool/node_modules/']) {
    const packages = { 'node_modules/tool': tool, [`${place}@tool/cli-linux-arm64-musl`]: locked }
    t.strictSame(missingEntries({ packages }), {})
  }
})

t.test('leaves ranges to npm', async (t) => {
  const packages = { 'node_modules/tool': { ...tool, optionalDependencies: { fsevents: '^2.3.0' } } }
  t.strictSame(missingEntries({ packages }), {})
})
