// A component server of the tests' own, which does on request what a real one seldom does, and notes what it is asked.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readTree, type Tree, writeTree } from './tree.ts'

/** A call of a component. */
export interface StagedCall {
  readonly id: string
  /** Its input, as it was spelled. */
  readonly input: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** JSON text of the whole message. */
  readonly message: string
}

export type Act = (call: StagedCall, worker: StagedWorker) => void | Promise<void>

export interface StagedWorker extends AsyncDisposable {
  readonly url: string
  /** Messages it got, JSON text, in their order. */
  readonly got: readonly { readonly message: string; readonly headers: IncomingMessage['headers'] }[]
  /** Resolves with the reply to the callback `id`. */
  reply(id: string): Promise<string>
}

export interface Staging {
  /** By component; `/echo`, `/null` and `/fail` are always there. */
  readonly acts?: Readonly<Record<string, Act>>
  /** Answer to `initialized`; default 202. */
  readonly initializedStatus?: number
  /** `components/list` is answered with an error. */
  readonly listFails?: boolean
}

/** Answers with `message` as one JSON document. */
export function answer(response: ServerResponse, message: string, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(message)
}

export function resultOf(id: string, output: string): string {
  return `{"jsonrpc":"2.0","id":"${id}","result":{"output":${output}}}`
}

const standing: Readonly<Record<string, Act>> = {
  '/echo': ({ id, input, response }) => answer(response, resultOf(id, input)),
  '/null': ({ id, response }) => answer(response, resultOf(id, 'null')),
  '/fail': ({ id, response }) =>
    answer(response, `{"jsonrpc":"2.0","id":"${id}","error":{"code":-32099,"message":"no","data":{"a":1}}}`),
}

export async function startStagedWorker(staging: Staging = {}): Promise<StagedWorker> {
  const acts = { ...standing, ...staging.acts }
  const got: { message: string; headers: IncomingMessage['headers'] }[] = []
  const replies = new Map<string, (reply: string) => void>()
  const early = new Map<string, string>()

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let message = ''
    for await (const chunk of request.setEncoding('utf8')) message += chunk
    got.push({ message, headers: request.headers })
    const tree: Tree = readTree(message) ?? { kind: 'word', text: 'null' }
    const id = text(tree, 'id')
    const method = text(tree, 'method')
    if (method === 'initialize') {
      answer(response, `{"jsonrpc":"2.0","id":"${id}","result":{"server_protocol_version":1}}`)
    } else if (method === 'initialized') response.writeHead(staging.initializedStatus ?? 202).end('""')
    else if (request.method === 'GET') answer(response, resultOf('elsewhere', '1'))
    else if (method === 'components/list' && staging.listFails === true) {
      answer(response, `{"jsonrpc":"2.0","id":"${id}","error":{"code":-32000,"message":"no list"}}`)
    } else if (method === 'components/list') {
      answer(response, `{"jsonrpc":"2.0","id":"${id}","result":{"components":[{"component":"/echo"}]}}`)
    } else if (method === '') {
      response.writeHead(202).end('""')
      const waiting = replies.get(id)
      if (waiting === undefined) early.set(id, message)
      else waiting(message)
    } else {
      const params = field(tree, 'params')
      const component = params === undefined ? '' : text(params, 'component')
      const act = acts[component]
      const input = params === undefined ? undefined : field(params, 'input')
      const spelled =
        input === undefined ? 'null' : input.kind === 'string' ? JSON.stringify(input.text) : writeTree(input)
      if (act === undefined) {
        answer(response, `{"jsonrpc":"2.0","id":"${id}","error":{"code":-32001,"message":"no ${component}"}}`)
      } else await act({ id, input: spelled, request, response, message }, worker)
    }
  }

  const server = createServer((request, response) => void serve(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const worker: StagedWorker = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    reply: (id) => {
      const known = early.get(id)
      return known === undefined ? new Promise((resolve) => replies.set(id, resolve)) : Promise.resolve(known)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return worker
}

function field(tree: Tree, key: string): Tree | undefined {
  return tree.kind === 'object' ? tree.members.find(([name]) => name === key)?.[1] : undefined
}

function text(tree: Tree, key: string): string {
  const found = field(tree, key)
  return found === undefined ? '' : writeTree(found)
}
