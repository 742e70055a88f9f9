// What the runtime's whole-program tests share: the program as a child, and a component server of the test's own.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { programEnv } from '../program-env.ts'

const program = fileURLToPath(new URL('../../system/runtime/main.ts', import.meta.url))

interface Test {
  teardown(end: () => void | Promise<void>): void
}

export interface RuntimeChild {
  readonly child: ChildProcess
  /** Lines of standard output so far. */
  readonly lines: readonly string[]
  readonly stderr: () => string
  /** Resolves with the first line that `pattern` matches; rejects when the program ends before. */
  line(pattern: RegExp): Promise<string>
  /** `http://127.0.0.1:<port>` once it serves. */
  url(): Promise<string>
  /** Base of the admin listener once it is there. */
  adminUrl(): Promise<string>
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | string>
}

/** Starts the runtime with its configuration on standard input, on free ports. */
export function startRuntime(
  t: Test,
  config: object,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): RuntimeChild {
  const child = spawn(
    process.execPath,
    [program, '--port', '0', '--admin-address', '127.0.0.1:0', '--config-stdin', ...args],
    { stdio: ['pipe', 'pipe', 'pipe'], env: programEnv(env) },
  )
  child.stdin.end(JSON.stringify(config))
  const lines: string[] = []
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (text) => lines.push(text))
  const exited = once(child, 'close').then(([code, signal]) => (code as number | null) ?? String(signal))
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  })
  const line = (pattern: RegExp): Promise<string> => {
    const known = lines.find((text) => pattern.test(text))
    if (known !== undefined) return Promise.resolve(known)
    return new Promise((resolve, reject) => {
      reader.on('line', (text) => {
        if (pattern.test(text)) resolve(text)
      })
      void exited.then((code) => reject(new Error(`ended with ${code}: ${stderr}${lines.join('\n')}`)))
    })
  }
  return {
    child,
    lines,
    stderr: () => stderr,
    line,
    url: async () => `http://127.0.0.1:${JSON.parse(await line(/^\{"port":\d+\}$/)).port}`,
    adminUrl: async () => `http://${JSON.parse(await line(/admin listening/)).address}`,
    exited,
  }
}

/** A request the component server got, and how to answer it. */
export interface WorkerCall {
  readonly id: string
  readonly component: string
  readonly input: unknown
  readonly params: Readonly<Record<string, unknown>>
  readonly headers: IncomingMessage['headers']
  readonly response: ServerResponse
  /** Answers with `output` as JSON. */
  answer(output: unknown): void
  /** Starts an event stream of the pod `pod-1`; returns what writes a message. */
  stream(): (message: object) => void
  /** Sends a callback on the stream and resolves with the reply to it. */
  callback(write: (message: object) => void, method: string, params: object): Promise<Reply>
}

export interface Reply {
  readonly pod: string | undefined
  readonly traceparent: string | undefined
  readonly message: { readonly result?: Record<string, unknown>; readonly error?: Record<string, unknown> }
}

export interface Worker {
  readonly url: string
  /** Answer to replies; default 202. */
  onReply: (reply: Reply, response: ServerResponse) => void
  readonly requests: readonly Record<string, unknown>[]
  close(): void
}

export async function startWorker(
  t: Test,
  handle: (call: WorkerCall) => void | Promise<void>,
  port = 0,
): Promise<Worker> {
  const waiting = new Map<string, (reply: Reply) => void>()
  const requests: Record<string, unknown>[] = []
  let nextId = 0
  const server = createServer((request, response) => void serve(request, response))
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const message = JSON.parse(body)
    requests.push(message)
    const { id, method, params } = message
    const result = (value: unknown): void => {
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ jsonrpc: '2.0', id, result: value }))
    }
    if (method === 'initialize') result({ server_protocol_version: 1 })
    else if (method === 'initialized') response.writeHead(202).end('""')
    else if (method === 'components/list')
      result({ components: [{ component: '/echo', description: 'echoes' }] })
    else if (method === undefined) {
      const { headers } = request
      const pod = headers['stepflow-instance-id'] as string | undefined
      const reply = { pod, traceparent: headers['traceparent'] as string | undefined, message }
      worker.onReply(reply, response)
      waiting.get(id)?.(reply)
    } else {
      void handle({
        id,
        component: params.component,
        input: params.input,
        params,
        headers: request.headers,
        response,
        answer: (output) => result({ output }),
        stream: () => {
          response.writeHead(200, { 'content-type': 'text/event-stream', 'stepflow-instance-id': 'pod-1' })
          response.flushHeaders()
          return (value) => void response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...value })}\n\n`)
        },
        callback: (write, name, callbackParams) =>
          new Promise((resolve) => {
            const callbackId = `cb-${nextId++}`
            waiting.set(callbackId, resolve)
            write({ id: callbackId, method: name, params: callbackParams })
          }),
      })
    }
  }
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  t.teardown(close)
  const worker: Worker = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    onReply: (_, response) => void response.writeHead(202).end('""'),
    requests,
    close,
  }
  return worker
}

/** The configuration that sends `/w/...` to `url` and the rest to the built-ins. */
export function configFor(url: string): object {
  return {
    plugins: { builtin: { type: 'builtin' }, w: { type: 'stepflow', url } },
    routes: { '/w/{*component}': [{ plugin: 'w' }], '/{*component}': [{ plugin: 'builtin' }] },
  }
}

/** The configuration with the built-ins alone, under every path. */
export const builtinOnly: object = {
  plugins: { builtin: { type: 'builtin' } },
  routes: { '/{*component}': [{ plugin: 'builtin' }] },
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly json: any
}

export async function send(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: object = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = /^[[{"]/.test(text) ? tryParse(text) : undefined
  return { status: response.status, headers: response.headers, text, json }
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Stores `flow` and runs it. */
export async function runFlow(
  url: string,
  flow: object,
  input: unknown = [null],
  more: object = {},
): Promise<Answer> {
  const stored = await send(url, 'POST', '/api/v1/flows', { flow })
  if (stored.status !== 200) return stored
  return send(url, 'POST', '/api/v1/runs', { flowId: stored.json.flowId, input, ...more })
}

/** A flow of one step `s` whose result is the output. */
export function oneStep(component: string, input: unknown = { $input: '$' }): object {
  return { steps: [{ id: 's', component, input }], output: { $step: 's' } }
}
