// Tests of the temporary folder: its owner, and what a later start removes.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { folderName, makeFolder, ownerOf, sweepFolders, thisOwner } from './temporary-folder.ts'

const parent = (): string => mkdtempSync(join(tmpdir(), 'sweep-test-'))

test('tells the owner from the name', async (t) => {
  const owner = { pid: 12, startTime: 345, pidNamespace: 4026531836 }
  t.same(ownerOf(folderName(owner, 'ab12')), owner)
  for (const name of [
    'other',
    'stepflow-gauntlet-',
    'stepflow-gauntlet-1-2-x-a',
    'stepflow-gauntlet-1-2-3-A/..',
  ]) {
    t.equal(ownerOf(name), null, name)
  }
})

test('makes a folder for its user only', async (t) => {
  const here = parent()
  const folder = makeFolder(here, 'abc')
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.same(ownerOf(readdirSync(here)[0]!), thisOwner())
  rmSync(here, { recursive: true })
})

test('takes a zombie for dead', { skip: process.platform === 'linux' ? false : 'needs /proc' }, async (t) => {
  // The shell becomes a sleep, which never collects the child it was given; the child lives until then.
  const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 1000'])
  t.teardown(() => parent.kill('SIGKILL'))
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  const stat = (): string => readFileSync(`/proc/${pid}/stat`, 'latin1')
  while (!stat().includes(') Z ')) await new Promise((resolve) => setTimeout(resolve, 2))
  const startTime = Number(
    stat()
      .slice(stat().lastIndexOf(')') + 2)
      .split(' ')[19],
  )
  const here = mkdtempSync(join(tmpdir(), 'sweep-test-'))
  mkdirSync(join(here, folderName({ ...thisOwner(), pid, startTime }, 'zombie')))
  sweepFolders(here)
  t.same(readdirSync(here), [])
  rmSync(here, { recursive: true })
})

test('removes what dead processes left and nothing else', async (t) => {
  const here = parent()
  const dead = spawn(process.execPath, ['-e', ''])
  await once(dead, 'exit')
  const left = join(here, folderName({ ...thisOwner(), pid: dead.pid! }, 'dead'))
  const reused = join(here, folderName({ ...thisOwner(), startTime: thisOwner().startTime - 1 }, 'reused'))
  const elsewhere = join(here, folderName({ ...thisOwner(), pid: dead.pid!, pidNamespace: 1 }, 'elsewhere'))
  const foreign = join(here, 'stepflow-gauntlet-notes')
  for (const folder of [left, reused, elsewhere, foreign]) {
    mkdirSync(join(folder, 'logs'), { recursive: true })
    writeFileSync(join(folder, 'logs', 'a.log'), 'text')
  }
  const mine = makeFolder(here, 'mine')
  sweepFolders(here)
  t.notOk(existsSync(left))
  if (process.platform === 'linux')
    t.notOk(existsSync(reused), 'a later process with the same id owns nothing')
  t.ok(existsSync(mine))
  t.ok(existsSync(elsewhere), 'another PID namespace is not ours to judge')
  t.ok(existsSync(foreign))
  rmSync(here, { recursive: true })
  sweepFolders(here)
  t.pass('a folder that is not there is no error')
})
