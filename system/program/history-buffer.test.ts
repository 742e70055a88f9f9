// Tests of records that wait in mapped memory: a SIGKILL at any moment leaves each of them, once.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { headBytes, waitingAfter } from '../../contracts/history-buffer.ts'
import { continueHistory, openHistory } from './history.ts'
import { recoverHistory } from './history-buffer.ts'
import { loadKoffi } from './mapped-file.ts'
import { outgoing } from './outgoing.ts'

const skip =
  loadKoffi() === null
    ? 'records cannot wait in mapped memory: koffi has no build for this machine (npm ci, without --omit=optional)'
    : false

const files = (folder: string) => ({ file: join(folder, 'history'), buffer: join(folder, 'buffer') })

/** What a reader of both files sees. */
const seen = ({ file, buffer }: ReturnType<typeof files>): string => {
  const waiting = existsSync(buffer) ? readFileSync(buffer) : new Uint8Array(0)
  const history = existsSync(file) ? readFileSync(file) : Buffer.alloc(0)
  return history.toString() + Buffer.from(waitingAfter(history.length, waiting)).toString()
}

const numbersIn = (text: string): number[] =>
  [...text.matchAll(/^\["execute\.answered",\d+,"(\d+)"/gm)].map(([, number]) => Number(number))

t.test(
  'a record can be read at once, without a write, and is written a moment later',
  { skip },
  async (t) => {
    const both = files(t.testdir({}))
    const history = openHistory({ witness: 'runtime', pod: 'p' }, both.file, both.buffer)
    const record = (requestId: string) =>
      history.record({ kind: 'execute.answered', requestId, outcome: 'success' })
    record('1')
    record('2')
    t.equal(outgoing.before, null, 'nothing is left to be done before bytes leave')
    t.same(numbersIn(readFileSync(both.file, 'utf8')), [])
    t.same(numbersIn(seen(both)), [1, 2])
    outgoing.beforeFigures?.()
    t.same(numbersIn(readFileSync(both.file, 'utf8')), [1, 2], 'before figures are told')
    record('3')
    history.record({ kind: 'process.stopping', reason: 'a record that does not wait' })
    t.match(
      readFileSync(both.file, 'utf8'),
      /"3"[^\n]+\n\{[^\n]+process\.stopping[^\n]+\n$/,
      'in their order',
    )
    record('4')
    t.same(numbersIn(seen(both)), [1, 2, 3, 4])
    while (numbersIn(readFileSync(both.file, 'utf8')).length < 4)
      await new Promise((done) => setTimeout(done, 50))
    record('5')
    history.close()
    t.same(numbersIn(readFileSync(both.file, 'utf8')), [1, 2, 3, 4, 5])
    t.notOk(existsSync(both.buffer))
  },
)

t.test('a SIGKILL between any two records leaves each of them once', { skip }, async (t) => {
  const both = files(t.testdir({}))
  const env = { ...process.env, FILE: both.file, BUFFER: both.buffer }
  const node = ['--input-type=module-typescript', '--eval']
  // Writes to its parent, who kills it, after each record; more of them than fit into the buffer.
  const body = `import { writeSync } from 'node:fs'
import { openHistory } from '${import.meta.resolve('./history.ts')}'
const history = openHistory({ witness: 'runtime', pod: 'p' }, process.env.FILE, process.env.BUFFER)
for (let number = Number(process.env.FROM); ; number++) {
  history.record({ kind: 'execute.answered', requestId: String(number), outcome: 'success', error: 'x'.repeat(200) })
  writeSync(1, number + ';')
}`
  let next = 0
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, [...node, body], {
      env: { ...env, FROM: String(next) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let told = ''
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      told += text
      if (told.length > 2_000 + round * 1_111) child.kill('SIGKILL')
    })
    await once(child, 'close')
    const known = numbersIn(seen(both))
    const last = Number(told.split(';').at(-2))
    t.same(
      known,
      Array.from(known, (_, index) => index),
      'each once, in their order',
    )
    t.ok(known.length - 1 >= last, `${last} was told, ${known.length - 1} is known`)
    t.match(seen(both), /\n$/)
    next = known.length
  }
  const before = seen(both)
  recoverHistory(both.buffer, both.file)
  t.equal(readFileSync(both.file, 'utf8'), before)
  t.notOk(existsSync(both.buffer))
  recoverHistory(both.buffer, both.file)
  t.equal(readFileSync(both.file, 'utf8'), before)
})

t.test('what a reader takes, wherever the program was', (t) => {
  const { file, buffer } = files(t.testdir({}))
  const put = (waiting: number, place: number, lines: string): void =>
    writeFileSync(
      buffer,
      Buffer.concat([Buffer.from(new Float64Array([waiting, place]).buffer), Buffer.from(lines)]),
    )
  const cases: [string, string, number, number, string][] = [
    ['nothing waits', 'a\n', 0, 2, 'a\n'],
    ['a line waits, the next is begun', 'a\n', 2, 2, 'a\nb\n'],
    ['what waits was appended, and still seems to wait', 'a\nb\n', 2, 2, 'a\nb\n'],
    ['a part of it was appended', 'a\nb', 2, 2, 'a\nb\n'],
    ['it was appended, and its place is still the old one', 'a\nb\n', 0, 2, 'a\nb\n'],
  ]
  for (const [name, history, waiting, place, expected] of cases) {
    writeFileSync(file, history)
    put(waiting, place, 'b\nc')
    t.equal(seen({ file, buffer }), expected, name)
    recoverHistory(buffer, file)
    t.equal(readFileSync(file, 'utf8'), expected, name)
  }
  writeFileSync(buffer, new Uint8Array(headBytes - 1))
  appendFileSync(file, 'd\n')
  recoverHistory(buffer, file)
  t.match(readFileSync(file, 'utf8'), /d\n$/, 'a buffer that is only just made')
  t.end()
})

t.test('without a buffer records are written before bytes leave', (t) => {
  const both = files(t.testdir({}))
  const history = continueHistory(both.file, undefined)
  history.record({ kind: 'execute.answered', requestId: '1', outcome: 'success' })
  t.type(outgoing.before, 'function')
  outgoing.before?.()
  t.same(numbersIn(readFileSync(both.file, 'utf8')), [1])
  history.close()
  t.end()
})
