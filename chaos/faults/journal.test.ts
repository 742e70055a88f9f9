// Tests of the journal: what a dead process left is undone, what a living one uses is not, and what is noted is exact.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { healLeftovers, openJournal } from './journal.ts'
import { isGone } from './pods.ts'

t.test('a process that a dead harness left is ended, and the journal with it', async (t) => {
  const folder = t.testdir({})
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  // No process has this id and no start time: it is dead.
  const journal = openJournal(folder, 2 ** 22 + 1)
  journal.note({ kind: 'process', pid: child.pid! })
  t.same(await healLeftovers(folder), [`healed process ${child.pid}`])
  t.same((await exited)[1], 'SIGKILL')
  t.ok(isGone(child.pid!))
  t.same(readdirSync(folder), [])
  t.same(await healLeftovers(folder), [], 'twice is nothing more')
})

t.test('what a living harness has noted is its own', async (t) => {
  const folder = t.testdir({})
  const journal = openJournal(folder)
  journal.note({ kind: 'mount', path: '/no/such/mount' })
  t.same(await healLeftovers(folder), [])
  t.equal(readdirSync(folder).length, 1)
  journal.close()
  t.equal(readdirSync(folder).length, 0)
})

t.test('what is gone needs no healing, and a line cut short is none', async (t) => {
  const folder = t.testdir({})
  const journal = openJournal(folder, 2 ** 22 + 1)
  journal.note({ kind: 'mount', path: '/no/such/mount' })
  journal.note({ kind: 'cgroup', path: '/no/such/group' })
  appendFileSync(join(folder, readdirSync(folder)[0]!), '{"leftover":{"kind":"pro')
  t.same(await healLeftovers(folder), [])
  t.notOk(existsSync(join(folder, '0-0.ndjson')))
  t.same(readdirSync(folder), [])
  t.same(await healLeftovers(join(folder, 'not-there')), [])
})
