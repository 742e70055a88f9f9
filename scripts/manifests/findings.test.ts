import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Finding, parseAccepted, sortFindings } from './findings.ts'

const finding: Finding = { tool: 'a', check: 'c', overlay: 'demo', object: 'Service/x', text: 'bad' }
const entry = { tool: 'a', check: 'c', reason: 'so' }
const tools = new Set(['a'])

t.test('a finding without an entry stays open', async (t) => {
  t.same(sortFindings([finding], [], tools).open, [finding])
  t.same(sortFindings([finding], [{ ...entry, overlays: ['prod'] }], tools).open, [finding])
  t.same(sortFindings([finding], [{ ...entry, objects: ['Service/y'] }], tools).open, [finding])
})

t.test('an entry accepts what it names', async (t) => {
  const { open, accepted, stale } = sortFindings([finding], [{ ...entry, objects: ['Service/x'] }], tools)
  t.same([open, accepted, stale], [[], [finding], []])
})

t.test('an entry that nothing needs is stale, unless its tool was not run', async (t) => {
  t.same(sortFindings([], [entry], tools).stale, [entry])
  t.same(sortFindings([], [entry], new Set()).stale, [])
})

t.test('refuses an entry without a reason', async (t) => {
  t.throws(() => parseAccepted('- { tool: a, check: c }'), /without reason/)
})

t.test('the list of the project is well formed and documented', async (t) => {
  const root = join(import.meta.dirname, '../..')
  const docs = readFileSync(join(root, 'docs/reference/manifests.md'), 'utf8')
  for (const { check } of parseAccepted(readFileSync(join(root, 'k8s/accepted-findings.yaml'), 'utf8'))) {
    t.ok(docs.includes(`\`${check}\``), `docs/reference/manifests.md names ${check}`)
  }
})
