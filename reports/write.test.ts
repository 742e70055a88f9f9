// Tests of writing a report: whole or not at all, never over another, and nothing left behind.

import { mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t from 'tap'
import type { Results } from '../contracts/results.ts'
import { hostile } from './testing/hostile.ts'
import { sampleResults } from './testing/sample.ts'
import { folderName, writeReport } from './write.ts'

t.test('writes all four files into a folder named by time and suite, and points latest to it', async (t) => {
  const outDirectory = join(t.testdir(), 'reports', 'out')
  const paths = await writeReport(sampleResults('pass'), { outDirectory })
  t.equal(basename(paths.directory), '20260131-142501-load')
  t.strictSame((await readdir(paths.directory)).sort(), [
    'index.html',
    'junit.xml',
    'results.json',
    'summary.md',
  ])
  t.equal(await readlink(paths.latest), '20260131-142501-load', 'relative, so that the folder may move')
  t.match(await readFile(join(paths.latest, 'index.html'), 'utf8'), /<!doctype html>/)
  t.strictSame(
    (await readdir(outDirectory)).sort(),
    ['20260131-142501-load', 'latest'],
    'nothing else is left',
  )
  t.equal((await stat(paths.directory)).mode & 0o777, 0o755)
})

t.test('never writes over another report, also not of the same second', async (t) => {
  const outDirectory = t.testdir()
  const results = sampleResults('pass')
  const written = await Promise.all([1, 2, 3].map(() => writeReport(results, { outDirectory })))
  t.strictSame(written.map(({ directory }) => basename(directory)).sort(), [
    '20260131-142501-load',
    '20260131-142501-load-2',
    '20260131-142501-load-3',
  ])
  t.ok((await readlink(join(outDirectory, 'latest'))).startsWith('20260131-142501-load'))
})

t.test('results that do not match the schema are kept, and refused by name', async (t) => {
  const outDirectory = t.testdir()
  const results = { ...sampleResults('pass'), durationMs: Number.NaN } as Results
  await t.rejects(writeReport(results, { outDirectory }), {
    code: 'ERR_RESULTS',
    message: /durationMs: got null/,
  })
  t.strictSame(await readdir(join(outDirectory, 'latest')), ['results.json'])
})

t.test('leaves no temporary folder where it cannot finish', async (t) => {
  const outDirectory = t.testdir()
  // A folder in the place of the link: the link cannot replace it.
  await mkdir(join(outDirectory, 'latest'))
  await writeFile(join(outDirectory, 'latest', 'mine.txt'), '')
  await t.rejects(writeReport(sampleResults('pass'), { outDirectory }))
  t.strictSame((await readdir(outDirectory)).sort(), ['20260131-142501-load', 'latest'])
})

t.test('a suite cannot name a folder elsewhere', async (t) => {
  const startedAt = '2026-01-31T14:25:01.204Z'
  t.equal(folderName({ startedAt, suite: '../../etc/passwd' }), '20260131-142501-etc-passwd')
  t.equal(folderName({ startedAt, suite: '/..' }), '20260131-142501-suite')
  t.equal(folderName({ startedAt: 'soon', suite: 'a b' }), '00000000-000000-a-b')
  const { directory } = await writeReport(hostile(sampleResults('pass')), { outDirectory: t.testdir() })
  t.match(basename(directory), /^20260131-142501-[a-zA-Z0-9_-]+$/)
})
