// Tests of the history's writer: what leaves when, and that each line is the record.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { fieldsInOrder } from '../../contracts/history.ts'
import { openAppender } from './append.ts'
import { continueHistory, type NewRecord } from './history.ts'
import { Lines, longLine } from './history-line.ts'

const linesOf = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => recordOf(JSON.parse(line) as Record<string, unknown> | unknown[]))

/** What a line stands for, as contracts/history.ts has it. */
function recordOf(line: Record<string, unknown> | unknown[]): Record<string, unknown> {
  if (!Array.isArray(line)) return line
  const [kind, at, ...values] = line as [keyof typeof fieldsInOrder, number, ...unknown[]]
  const fields = fieldsInOrder[kind]
  if (fields.length !== values.length) throw new Error(`${kind} has ${values.length} values`)
  const entries = fields.map((field, index): [string, unknown] => [field, values[index]])
  return { at, kind, ...Object.fromEntries(entries.filter(([, value]) => value !== null)) }
}

const answered = (error?: string): NewRecord => ({
  ...{ kind: 'execute.answered', requestId: 'r', outcome: 'failed' },
  error,
})

t.test('each line is the record, whatever its texts hold', (t) => {
  const file = join(t.testdir({}), 'history')
  const texts = [
    '',
    'plain',
    'a "quoted" one',
    'back\\slash',
    'line\nbreak',
    '\u0000\u007f',
    'ä€😀',
    '\ud800',
  ]
  const history = continueHistory(file)
  for (const text of texts) history.record(answered(text))
  history.record(answered())
  history.close()
  const lines = linesOf(file)
  t.same(
    lines.map(({ error }) => error),
    [...texts, undefined],
  )
  t.same(Object.keys(lines.at(-1) ?? {}), ['at', 'kind', 'requestId', 'outcome'])
  t.ok(lines.every(({ at }, index) => typeof at === 'number' && at >= Number(lines[index - 1]?.['at'] ?? 0)))
  t.match(readFileSync(file, 'latin1'), /^[\n -~]*$/, 'in ASCII')
  t.end()
})

const lineOf = (at: number, record: NewRecord): string => {
  const lines = new Lines()
  return lines.add(at, record)
    ? Buffer.from(lines.bytes.subarray(0, lines.length)).toString()
    : longLine(at, record)
}

t.test('lines that are written out hold what the records do', (t) => {
  const ids = { runId: 'r"1', requestId: 'q', stepId: 'ä', item: 0 }
  const maybe = { instanceId: 'pod-1', error: 'a\nb' }
  const records: NewRecord[] = [
    { kind: 'run.accepted', runId: 'r', flowId: 'f', inFlight: 1 },
    { kind: 'run.ended', runId: 'r', status: 'failed', inFlight: 0 },
    { kind: 'step.started', runId: ids.runId, stepId: ids.stepId, item: 3, component: '/a\\b' },
    { kind: 'call.sent', ...ids, attempt: 2 },
    { kind: 'call.answered', requestId: 'q', status: 200, stream: true, instanceId: 'i' },
    { kind: 'callback.received', requestId: 'q', callbackId: 'c', method: 'm', instanceId: 'i' },
    { kind: 'callback.replied', requestId: 'q', callbackId: 'c', status: 0, ...maybe },
    { kind: 'step.result', ...ids, attempt: 1, outcome: 'success', ...maybe },
    {
      kind: 'request.routed',
      backend: 'b',
      pinned: 'p',
      instanceId: 'i',
      stream: false,
      status: 503,
      reason: 'x',
    },
    {
      kind: 'execute.received',
      requestId: 'q',
      component: '/c',
      attempt: 1,
      runId: 'r',
      stepId: 's',
      stream: true,
      via: 'v',
    },
    { kind: 'execute.answered', requestId: 'q', outcome: 'aborted', error: 'e' },
    { kind: 'callback.sent', requestId: 'q', callbackId: 'c', method: 'm' },
    { kind: 'callback.resolved', callbackId: 'c', roundTripUs: 12, outcome: 'result', via: '1.1 "b"' },
    { kind: 'execute.answered', requestId: 'ü'.repeat(1_000), outcome: 'failed', error: '"'.repeat(1_000) },
    { kind: 'execute.answered', requestId: 'q', outcome: 'failed', error: 'e'.repeat(100_000) },
    { kind: 'backend.state', backend: 'b', state: 'gone', reason: 'ö' },
  ]
  const required = new Set(['kind', 'runId', 'requestId', 'stepId', 'item', 'component', 'attempt', 'flowId'])
  for (const name of [
    'inFlight',
    'status',
    'stream',
    'callbackId',
    'method',
    'outcome',
    'roundTripUs',
    'state',
  ]) {
    required.add(name)
  }
  for (const record of records) {
    t.match(lineOf(7, record), /^[ -~]+\n$/)
    for (const at of [7, 1_000_000, 123_456_000_789]) {
      t.same(recordOf(JSON.parse(lineOf(at, record))), { at, ...record })
    }
    const optional = record.kind === 'execute.received' ? ['runId', 'stepId', 'via'] : []
    const bare = Object.fromEntries(
      Object.entries(record).map(([name, value]) => [
        name,
        required.has(name) && !optional.includes(name) ? value : undefined,
      ]),
    ) as unknown as NewRecord
    t.same(recordOf(JSON.parse(lineOf(7, bare))), JSON.parse(JSON.stringify({ at: 7, ...bare })))
  }
  t.end()
})

t.test('what nobody can know of is written a moment later, and at the latest with the end', async (t) => {
  const file = join(t.testdir({}), 'history')
  const history = continueHistory(file)
  history.record(answered())
  t.equal(linesOf(file).length, 0)
  while (linesOf(file).length === 0) await delay(10)
  history.record(answered())
  history.flush()
  t.equal(linesOf(file).length, 2)
  history.record(answered())
  history.close()
  t.equal(linesOf(file).length, 3)
  history.record(answered())
  t.equal(linesOf(file).length, 3)
})

const program = (body: string): ChildProcess =>
  spawn(
    process.execPath,
    [
      '--input-type=module-typescript',
      '--eval',
      `import { continueHistory } from '${import.meta.resolve('./history.ts')}'
import { connectLink } from '${import.meta.resolve('./tcp-link.ts')}'
const history = continueHistory(process.env.FILE)
const record = (requestId) => history.record({ kind: 'execute.answered', requestId, outcome: 'success' })
${body}`,
    ],
    { env: { ...process.env, FILE: process.env['FILE'] }, stdio: ['ignore', 'inherit', 'inherit'] },
  )

t.test(
  'a record is in the file when the first byte sent after it arrives, and a kill cannot take it',
  async (t) => {
    const file = join(t.testdir({}), 'history')
    process.env['FILE'] = file
    t.teardown(() => delete process.env['FILE'])
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    const child = program(`
let sent = 0
const link = connectLink('127.0.0.1', ${(server.address() as AddressInfo).port}, {
  onConnected() {
    const next = () => {
      record('r' + sent)
      link.writeText(sent++ + ';')
      setTimeout(next, 1)
    }
    next()
  },
  onBytes() {}, onEnd() {}, onDrained() {}, onClosed() {},
})`)
    const [socket] = (await once(server, 'connection')) as [Socket]
    let told = ''
    let missing = 0
    for await (const bytes of socket.setEncoding('latin1')) {
      told += bytes
      const known = new Set(linesOf(file).map(({ requestId }) => requestId))
      for (const number of told.split(';').slice(0, -1)) if (!known.has(`r${number}`)) missing++
      if (known.size > 50) break
    }
    child.kill('SIGKILL')
    await once(child, 'exit')
    t.equal(missing, 0)
    t.ok(linesOf(file).length > 50)
  },
)

t.test('a program that ends by itself leaves its last records', async (t) => {
  const file = join(t.testdir({}), 'history')
  process.env['FILE'] = file
  t.teardown(() => delete process.env['FILE'])
  const child = program("record('last'); process.exit(3)")
  await once(child, 'exit')
  t.equal(child.exitCode, 3)
  t.match(linesOf(file), [{ requestId: 'last' }])
})

t.test('a file that takes a part only is an error at once', async (t) => {
  const file = join(t.testdir({}), 'history')
  const body = `import { openAppender } from '${import.meta.resolve('./append.ts')}'
const appender = openAppender('${file}')
for (let i = 0; i < 9; i++) appender.append(Buffer.alloc(1_000), 1_000)`
  const node = [process.execPath, '--input-type=module', '--eval', body]
  // 4,096 bytes.
  const child = spawn('sh', ['-c', 'ulimit -f 8; exec "$@"', 'sh', ...node], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  await once(child, 'close')
  t.match(said, /history is cut: no room/)
  t.equal(readFileSync(file).length, 4_096)
})

const noFull = existsSync('/dev/full') ? false : 'this machine has no /dev/full'
t.test('a file that cannot be written is an error, not a loss', { skip: noFull }, (t) => {
  const appender = openAppender('/dev/full')
  t.throws(() => appender.append(Buffer.from('x\n'), 2), { code: 'ENOSPC' })
  appender.close()
  t.throws(() => openAppender(join(t.testdir({}), 'none', 'history')), { code: 'ENOENT' })
  t.end()
})
