import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { decodeFromCompressedBase64 } from 'hdr-histogram-js'
import t, { type Test } from 'tap'
import { GauntletErrors } from '../../../../contracts/errors.ts'
import type { HistoryRecord, RunAnswered } from '../../../../contracts/history.ts'
import type { LoadOptions, LoadProgress, Profile, Workload } from '../../../../contracts/load.ts'
import { monotonicUs } from '../../../clock.ts'
import { createEmbeddedEngine } from './index.ts'

const inputs = Array.from({ length: 10 }, (_, value) => ({ value }))
const workload: Workload = {
  name: 'double',
  flow: { steps: [] },
  inputs,
  expected: inputs.map(({ value }) => value * 2),
}
const quick: Profile = { kind: 'burst', count: 20, concurrency: 4 }

const engine = await createEmbeddedEngine()
t.teardown(() => engine[Symbol.asyncDispose]())

t.test('a burst keeps to its limit and counts every run', async (t) => {
  let open = 0
  let most = 0
  const url = await listenHttp(t, async (request, response) => {
    most = Math.max(most, ++open)
    const body = await bodyOf(request)
    await new Promise((resolve) => setImmediate(resolve))
    open--
    answerRun(response, doubled(body))
  })
  const progress: LoadProgress[] = []
  const result = await run({ target: { kind: 'runs', url }, onProgress: (p) => progress.push(p) })
  t.match(result, { offered: 20, completed: 20, failed: 0, incorrect: 0, dropped: 0, planned: null })
  t.ok(most <= 4, 'never more than 4 open')
  t.equal(decodeFromCompressedBase64(result.histogram).totalCount, 20)
  t.equal(result.latency.count, 20)
  t.same(progress.at(-1), { offered: 20, answered: 20, failed: 0, open: 0 })
})

t.test('a constant rate offers exactly what it plans, second by second', async (t) => {
  const url = await listenHttp(t, doubling)
  const result = await run({
    target: { kind: 'runs', url },
    profile: { kind: 'constant', rateRps: 100, durationMs: 1_200 },
  })
  t.match(result, { planned: 120, offered: 120, completed: 120, offeredRps: 100, achievedRps: 100 })
  t.same(
    result.seconds.map(({ second, planned, offered, completed }) => [second, planned, offered, completed]),
    [
      [0, 100, 100, 100],
      [1, 20, 20, 20],
    ],
  )
  t.ok(result.generatorUtilization > 0 && result.generatorUtilization <= 1)
  t.ok(result.endedAt - result.startedAt >= 1_200_000, 'lasts as long as the profile')
})

t.test('steps add up', async (t) => {
  const url = await listenHttp(t, doubling)
  const steps = [
    { rateRps: 50, durationMs: 200 },
    { rateRps: 0, durationMs: 100 },
    { rateRps: 200, durationMs: 300 },
  ]
  t.match(await run({ target: { kind: 'runs', url }, profile: { kind: 'steps', steps } }), {
    planned: 70,
    completed: 70,
  })
})

t.test('users of a closed load each wait for their answer', async (t) => {
  let open = 0
  let most = 0
  const url = await listenHttp(t, async (request, response) => {
    most = Math.max(most, ++open)
    const body = await bodyOf(request)
    open--
    answerRun(response, doubled(body))
  })
  const result = await run({
    target: { kind: 'runs', url },
    profile: { kind: 'concurrent', users: 3, durationMs: 200 },
  })
  t.ok(result.completed >= 3)
  t.equal(result.offered, result.completed)
  t.ok(most <= 3)
})

t.test('a stall of the system is in the latency of every arrival planned during it', async (t) => {
  // No answer between 200 and 600 ms: a generator that waits would offer, and measure, almost nothing.
  const held: (() => void)[] = []
  let phase: 'before' | 'stalled' | 'after' = 'before'
  const url = await listenHttp(t, async (request, response) => {
    if (phase === 'before') {
      phase = 'stalled'
      setTimeout(() => {
        phase = 'after'
        for (const release of held.splice(0)) release()
      }, 400)
    }
    const body = await bodyOf(request)
    if (phase === 'stalled') await new Promise<void>((resolve) => held.push(resolve))
    answerRun(response, doubled(body))
  })
  const result = await run({
    target: { kind: 'runs', url },
    profile: { kind: 'constant', rateRps: 200, durationMs: 600 },
  })
  t.equal(result.completed, 120)
  const histogram = decodeFromCompressedBase64(result.histogram)
  // 60 arrivals were planned in the first 300 ms of the stall: each waited for 100 ms or more.
  t.ok(histogram.getValueAtPercentile(55) >= 100_000, `p55 is ${histogram.getValueAtPercentile(55)} µs`)
  t.ok((result.latency.maxMs ?? 0) >= 390)
})

t.test(
  'arrivals beyond maxOpen are dropped and counted, and a silent server times out as unknown',
  async (t) => {
    const sockets = new Set<Socket>()
    const url = await listen(
      t,
      createTcpServer((socket) => sockets.add(socket.on('error', () => {}).resume())),
      () => {
        for (const socket of sockets) socket.destroy()
      },
    )
    const result = await run({
      target: { kind: 'call', url, component: '/double' },
      profile: { kind: 'constant', rateRps: 100, durationMs: 300 },
      maxOpen: 5,
      timeoutMs: 1_000,
    })
    t.match(result, { planned: 30, offered: 5, unknown: 5, dropped: 25, failed: 0 })
    t.equal(result.seconds[0]?.planned, 30)
    t.equal(result.latency.count, 5, 'waiting until the time-out is a latency')
    t.ok((result.latency.minMs ?? 0) >= 999)
    t.same(result.errors, [{ text: 'no answer within 1000 ms', count: 5 }])
  },
)

t.test('a connection that breaks after the request leaves the outcome unknown', async (t) => {
  const url = await listen(
    t,
    createTcpServer((socket) => socket.on('error', () => {}).once('data', () => socket.resetAndDestroy())),
  )
  const { answers, result } = await runWithHistory(t, { target: { kind: 'call', url, component: '/double' } })
  t.match(result, { offered: 20, unknown: 20, refused: 0, failed: 0 })
  t.ok(answers.every(({ outcome, correct }) => outcome === 'unknown' && correct === undefined))
})

t.test('a port that nobody listens on refuses', async (t) => {
  const server = createTcpServer()
  const url = await listen(t, server)
  server.close()
  await once(server, 'close')
  const result = await run({ target: { kind: 'call', url, component: '/double' } })
  t.match(result, { offered: 20, refused: 20, unknown: 0 })
})

t.test('tells refused, failed and broken answers apart', async (t) => {
  const failedRun = { outcome: 'failed', error: { code: 500, message: 'no such thing' } }
  const cases = [
    { status: 503, body: '{"error":{"message":"full"}}', outcome: 'refused', error: 'HTTP 503: full' },
    { status: 429, body: '', outcome: 'refused', error: 'HTTP 429' },
    { status: 404, body: 'nope', outcome: 'refused', error: 'HTTP 404: nope' },
    { status: 500, body: '{"message":"broke"}', outcome: 'failed', error: 'HTTP 500: broke' },
    { status: 200, body: 'not json', outcome: 'failed', error: 'answer is no JSON object' },
    {
      status: 200,
      body: JSON.stringify({ runId: 'a', itemCount: 1, status: 'failed', result: failedRun }),
      outcome: 'failed',
      error: 'run failed: no such thing',
    },
    {
      status: 200,
      body: JSON.stringify({ runId: 'a', itemCount: 1, status: 'cancelled' }),
      outcome: 'failed',
      error: 'run ended as "cancelled"',
    },
  ] as const
  let next = 0
  const url = await listenHttp(t, async (request, response) => {
    await bodyOf(request)
    const { status, body } = cases[next++]!
    response.writeHead(status).end(body)
  })
  const { answers } = await runWithHistory(t, {
    target: { kind: 'runs', url },
    profile: { kind: 'burst', count: cases.length, concurrency: 1 },
  })
  t.same(
    answers.map(({ outcome, status, error }) => ({ outcome, status, error })),
    cases.map(({ outcome, status, error }) => ({ outcome, status, error })),
  )
})

t.test('counts wrong values, and tells those of another input', async (t) => {
  const wrong = [4, 999, 4]
  let next = 0
  const url = await listenHttp(t, async (request, response) => {
    await bodyOf(request)
    answerRun(response, wrong[next++])
  })
  const { answers, result } = await runWithHistory(t, {
    target: { kind: 'runs', url },
    profile: { kind: 'burst', count: 3, concurrency: 1 },
  })
  t.match(result, { completed: 3, incorrect: 2 })
  t.same(
    answers.map(({ correct, foreign, got }) => ({ correct, foreign, got })),
    [
      { correct: false, foreign: true, got: '4' },
      { correct: false, foreign: false, got: '999' },
      { correct: true, foreign: false, got: undefined },
    ],
  )
})

t.test('a call is one JSON-RPC POST with the headers of the wire', async (t) => {
  const seen: { headers: IncomingMessage['headers']; url: string | undefined; body: string }[] = []
  const url = await listenHttp(t, async (request, response) => {
    const body = await bodyOf(request)
    seen.push({ headers: request.headers, url: request.url, body })
    const { id, params } = JSON.parse(body)
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { output: params.input.value * 2 } }))
  })
  const result = await run({
    target: { kind: 'call', url, component: '/double' },
    profile: { kind: 'burst', count: 1, concurrency: 1 },
    requestPrefix: 'one-',
  })
  t.match(result, { completed: 1, incorrect: 0 })
  t.match(seen[0]?.headers, {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  })
  t.equal(seen[0]?.url, '/')
  t.same(JSON.parse(seen[0]?.body ?? ''), {
    jsonrpc: '2.0',
    id: 'one-0',
    method: 'components/execute',
    params: { component: '/double', input: { value: 0 }, attempt: 1, observability: {} },
  })
})

t.test('keeps connections and never sends on one that is busy', async (t) => {
  const busy = new Set<Socket>()
  const all = new Set<Socket>()
  let overlapped = 0
  const url = await listenHttp(t, async (request, response) => {
    all.add(request.socket)
    if (busy.has(request.socket)) overlapped++
    busy.add(request.socket)
    const body = await bodyOf(request)
    await new Promise((resolve) => setImmediate(resolve))
    busy.delete(request.socket)
    answerRun(response, doubled(body))
  })
  const result = await run({
    target: { kind: 'runs', url },
    profile: { kind: 'burst', count: 200, concurrency: 10 },
  })
  t.equal(result.completed, 200)
  t.equal(overlapped, 0)
  t.ok(all.size <= 10, `${all.size} connections`)
})

t.test('the history holds every offer before its answer', async (t) => {
  const url = await listenHttp(t, doubling)
  const { records } = await runWithHistory(t, { target: { kind: 'runs', url } })
  t.match(records[0], { kind: 'process.started', witness: 'client', pod: 'client' })
  const offered = new Map<string, number>()
  const answered = new Set<string>()
  for (const record of records.slice(1)) {
    if (record.kind === 'run.offered') {
      t.notOk(offered.has(record.request))
      offered.set(record.request, record.at)
      t.ok(record.planned <= record.at)
    } else if (record.kind === 'run.answered') {
      t.ok((offered.get(record.request) ?? Number.POSITIVE_INFINITY) <= record.at)
      t.equal(record.runId, 'run-1')
      answered.add(record.request)
    }
  }
  t.equal(offered.size, 20)
  t.equal(answered.size, 20)
})

t.test('an interrupted load gives what was measured until then', async (t) => {
  const abort = new AbortController()
  let requests = 0
  const url = await listenHttp(t, async (request, response) => {
    const body = await bodyOf(request)
    if (++requests <= 5) answerRun(response, doubled(body))
    else abort.abort()
  })
  const { answers, result } = await runWithHistory(t, {
    target: { kind: 'runs', url },
    profile: { kind: 'constant', rateRps: 100, durationMs: 60_000 },
    signal: abort.signal,
  })
  t.equal(result.completed, 5)
  t.equal(result.offered, result.completed + result.unknown)
  t.equal(result.planned, result.offered)
  t.equal(answers.at(-1)?.error, 'interrupted')
})

t.test('an engine that is disposed in the middle of a load ends it with what was measured', async (t) => {
  const url = await listenHttp(t, doubling)
  const own = await createEmbeddedEngine()
  let load: ReturnType<typeof own.run> | undefined
  await new Promise<void>((resolve) => {
    load = own.run({
      target: { kind: 'runs', url },
      workload,
      profile: { kind: 'constant', rateRps: 100, durationMs: 60_000 },
      onProgress: ({ answered }) => {
        if (answered > 0) resolve()
      },
    })
  })
  await own[Symbol.asyncDispose]()
  t.ok((await load)?.completed)
  await t.rejects(own.run({ target: { kind: 'runs', url }, workload, profile: quick }), /closed/)
})

t.test('times are on the clock that all processes share', async (t) => {
  const seen: number[] = []
  const url = await listenHttp(t, async (request, response) => {
    const body = await bodyOf(request)
    seen.push(monotonicUs())
    answerRun(response, doubled(body))
  })
  const from = monotonicUs()
  const profile: Profile = { kind: 'burst', count: 20, concurrency: 1 }
  const { records, result } = await runWithHistory(t, { target: { kind: 'runs', url }, profile })
  const until = monotonicUs()
  t.ok(from <= result.startedAt && result.endedAt <= until)
  const offers = records.filter(({ kind }) => kind === 'run.offered')
  const answers = records.filter(({ kind }) => kind === 'run.answered')
  for (const [i, at] of seen.entries()) {
    t.ok(offers[i]!.at <= at && at <= answers[i]!.at, 'the server is between offer and answer')
  }
})

t.test('loads run side by side, and one that is interrupted does not touch the other', async (t) => {
  const url = await listenHttp(t, doubling)
  const abort = new AbortController()
  const [first, second] = await Promise.all([
    run({
      target: { kind: 'runs', url },
      profile: { kind: 'constant', rateRps: 100, durationMs: 60_000 },
      signal: abort.signal,
      onProgress: ({ answered }) => {
        if (answered > 0) abort.abort()
      },
    }),
    run({ target: { kind: 'runs', url }, profile: { kind: 'constant', rateRps: 100, durationMs: 800 } }),
  ])
  t.ok(first.offered < 6_000)
  t.match(second, { offered: 80, completed: 80, unknown: 0 })
})

t.test('a flow that the runtime does not take ends the load before it begins', async (t) => {
  const url = await listenHttp(
    t,
    (_request, response) => response.writeHead(400).end('{"message":"bad flow"}'),
    true,
  )
  await t.rejects(run({ target: { kind: 'runs', url } }), {
    code: 'ERR_CLUSTER',
    message: /HTTP 400.*bad flow/,
  })
})

t.test('lists every problem of its options', async (t) => {
  const broken = {
    target: { kind: 'runs', url: 'nowhere' },
    workload: { ...workload, inputs: [], expected: [1] },
    profile: { kind: 'constant', rateRps: -1, durationMs: Number.NaN },
    timeoutMs: 0,
  } as const
  const error: unknown = await engine.run(broken).catch((cause: unknown) => cause)
  if (!(error instanceof GauntletErrors)) throw error
  t.same(
    error.problems.map(({ code, field }) => [code, field]),
    [
      ['ERR_CONFIG_RANGE', 'load profile.rateRps'],
      ['ERR_CONFIG_RANGE', 'load profile.durationMs'],
      ['ERR_CONFIG_RANGE', 'load timeoutMs'],
      ['ERR_CONFIG_FIELD', 'load target.url'],
      ['ERR_CONFIG_FIELD', 'load workload.inputs'],
    ],
  )
})

function run(options: Partial<LoadOptions> & Pick<LoadOptions, 'target'>) {
  return engine.run({ workload, profile: quick, ...options })
}

async function runWithHistory(t: Test, options: Partial<LoadOptions> & Pick<LoadOptions, 'target'>) {
  const historyFile = `${t.testdir()}/client.ndjson`
  const result = await run({ ...options, historyFile })
  const records = readFileSync(historyFile, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as HistoryRecord)
  const answers = records.filter((record): record is RunAnswered => record.kind === 'run.answered')
  return { result, records, answers }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** An HTTP server for the test; it takes every flow unless `bare`. Returns its URL. */
function listenHttp(t: Test, handler: Handler, bare = false): Promise<string> {
  const server = createServer((request, response) => {
    if (!bare && request.url === '/api/v1/flows') response.end('{"flowId":"flow-1","stored":true}')
    else void handler(request, response)
  })
  return listen(t, server, () => server.closeAllConnections())
}

async function listen(t: Test, server: Server, onEnd: () => void = () => {}): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    onEnd()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

async function doubling(request: IncomingMessage, response: ServerResponse): Promise<void> {
  answerRun(response, doubled(await bodyOf(request)))
}

function doubled(body: string): number {
  return (JSON.parse(body) as { input: [{ value: number }] }).input[0].value * 2
}

function answerRun(response: ServerResponse, result: unknown): void {
  response.setHeader('content-type', 'application/json')
  response.end(
    JSON.stringify({
      runId: 'run-1',
      itemCount: 1,
      result: { outcome: 'success', result },
      status: 'completed',
    }),
  )
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  return body
}

t.test(
  'a stopped load sends no more, awaits what is open, and states its rates over the time it took',
  async (t) => {
    const url = await listenHttp(t, doubling)
    const stop = new AbortController()
    const result = await run({
      target: { kind: 'runs', url },
      profile: { kind: 'constant', rateRps: 100, durationMs: 60_000 },
      stop: stop.signal,
      onProgress: ({ answered }) => {
        if (answered > 10) stop.abort()
      },
    })
    t.ok(result.offered > 10 && result.offered < 1_000)
    t.equal(result.completed, result.offered, 'each open arrival was awaited')
    t.match(result, { unknown: 0, planned: result.offered })
    t.ok((result.offeredRps ?? 0) > 10, 'over the time it took, not over the minute it was to take')
  },
)
