// The agent's HTTP: GET /history streams records as they come, POST /signal signals the program and waits until it took,
// POST /link/... puts effects on the way to the program.

import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type AgentLinkProxy, readJson } from './link.ts'
import { type Procfs, programProcesses, stateOf } from './processes.ts'
import { compact, readFrom, sizeOf, startedPid } from './tail.ts'

export interface AgentOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly token: string
  readonly historyFile: string
  /** Default the kernel's. */
  readonly procfs?: Procfs
  /** The proxy in front of the program, if it has one. */
  readonly link?: AgentLinkProxy
  /** Default 5 s. */
  readonly forgottenMs?: number
}

export interface AgentServer {
  readonly port: number
  /** Sends followers the rest of the history, then ends. */
  close(): Promise<void>
}

/** What POST /signal answers. */
export interface Signalled {
  readonly pids: readonly number[]
  /** Bytes of the history once the signal took effect. */
  readonly historyBytes: number
}

const signals = ['SIGSTOP', 'SIGCONT', 'SIGTERM', 'SIGKILL'] as const
type Signal = (typeof signals)[number]

/** How soon a record that was written is on its way. */
const pollMs = 50
/** A frozen program thaws by itself after this: whoever froze it may be gone. */
const frozenMs = 60_000
/** Nobody follows the history any more: whoever put effects on the link is gone, and they go too. */
const defaultForgottenMs = 5_000
/** A signal's effect shows within a few milliseconds. */
const effectMs = 5_000
/** For followers to take the rest of the history when the agent ends. */
const lastWordsMs = 1_500

export async function startAgentServer(options: AgentOptions): Promise<AgentServer> {
  const { historyFile } = options
  const procfs = options.procfs ?? { folder: '/proc', ownPid: process.pid }
  const expected = Buffer.from(`Bearer ${options.token}`)
  const { link, forgottenMs = defaultForgottenMs } = options
  let thaw: NodeJS.Timeout | undefined
  let forgotten: NodeJS.Timeout | undefined
  let followers = 0
  let ending = false

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(`${error instanceof Error ? error.message : error}\n`)
    })
  })
  server.headersTimeout = 5_000
  server.requestTimeout = 5_000

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const given = Buffer.from(request.headers.authorization ?? '')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      request.resume()
      response.writeHead(401).end('the token is wrong\n')
      return
    }
    const url = new URL(request.url ?? '/', 'http://agent')
    const [, what] = /^\/link\/(\w+)$/.exec(url.pathname) ?? []
    if (request.method === 'POST' && what !== undefined) {
      const answered = link?.answer(what, await readJson(request)) ?? null
      if (answered === null) return send(response, 409, { error: 'the program has no proxy in front of it' })
      return send(response, 200, await answered)
    }
    request.resume()
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /history':
        return follow(Number(url.searchParams.get('from') ?? 0), response)
      case 'GET /size':
        return send(response, 200, { historyBytes: sizeOf(historyFile) })
      case 'POST /compact':
        compact(historyFile)
        return send(response, 200, { historyBytes: sizeOf(historyFile) })
      case 'POST /signal': {
        const signal = signals.find((name) => name === url.searchParams.get('name'))
        if (signal === undefined) return send(response, 400, { error: `use one of ${signals.join(', ')}` })
        const pids = await signalProgram(signal)
        if (pids.length === 0) return send(response, 409, { error: 'no program runs' })
        return send(response, 200, { pids, historyBytes: sizeOf(historyFile) } satisfies Signalled)
      }
      default:
        response.writeHead(404).end('not found\n')
    }
  }

  /** The file from `offset` on until the agent ends or nobody reads any more. */
  async function follow(offset: number, response: ServerResponse): Promise<void> {
    if (!Number.isInteger(offset) || offset < 0)
      return send(response, 400, { error: 'from must be an offset' })
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.flushHeaders()
    followers++
    clearTimeout(forgotten)
    response.once('close', () => {
      if (--followers > 0 || link === undefined) return
      forgotten = setTimeout(() => link.clear(), forgottenMs).unref()
    })
    while (!response.destroyed) {
      const last = ending
      const bytes = readFrom(historyFile, offset)
      offset += bytes.length
      if (bytes.length > 0 && !response.write(bytes)) await drained(response)
      if (bytes.length > 0) continue
      if (last) break
      await delay(pollMs)
    }
    response.end()
  }

  async function signalProgram(signal: Signal): Promise<readonly number[]> {
    const pids = programProcesses(procfs, startedPid(historyFile)).filter((pid) => signalled(pid, signal))
    if (signal === 'SIGCONT') clearTimeout(thaw)
    if (signal === 'SIGSTOP') {
      clearTimeout(thaw)
      thaw = setTimeout(() => void signalProgram('SIGCONT').catch(() => {}), frozenMs)
      thaw.unref()
    }
    const took = (pid: number): boolean => {
      const state = stateOf(procfs, pid)
      return (
        state === null || (signal === 'SIGSTOP' && state === 'T') || (signal === 'SIGCONT' && state !== 'T')
      )
    }
    const deadline = performance.now() + effectMs
    while (signal !== 'SIGTERM' && !pids.every(took) && performance.now() < deadline) await delay(2)
    return pids
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      ending = true
      // The pod ends: its program with it.
      clearTimeout(thaw)
      setTimeout(() => server.closeAllConnections(), lastWordsMs).unref()
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      })
    },
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** False: the process is gone. */
function signalled(pid: number, signal: Signal): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve)
    response.once('close', resolve)
  })
}
