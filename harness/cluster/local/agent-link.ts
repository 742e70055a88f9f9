// The harness's end of the channel to the node agent: requests, pod events, and what its death means.

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { GauntletError } from '../../../contracts/errors.ts'
import { compileCacheEnv } from './compile-cache.ts'
import { passEnv } from './program.ts'
import { errorOf, type FromAgent, type Replies, type Request, type ToAgent } from './protocol.ts'

const agentFile = fileURLToPath(new URL('./agent.ts', import.meta.url))
const stderrBytes = 4_000
const exitTimeoutMs = 10_000

export interface AgentLink {
  /** @throws GauntletError ERR_CLUSTER, also when the agent dies before it answers */
  request<R extends Request>(request: R): Promise<Replies[R['kind']]>
  /** Null while the agent lives; then why no request can be answered any more. */
  readonly ended: GauntletError | null
  /** Resolves when the agent's process is gone. */
  readonly gone: Promise<void>
  /** Asks the agent to stop, and kills it if it does not. Resolves when it is gone. */
  stop(): Promise<void>
}

export interface AgentLinkOptions {
  readonly onPod: (message: Extract<FromAgent, { kind: 'pod' }>) => void
  readonly onStatus: (message: Extract<FromAgent, { kind: 'status' }>) => void
  /** Called once, when the agent died without being asked to. */
  readonly onLost: (error: GauntletError) => void
}

interface Pending {
  resolve(value: never): void
  reject(error: GauntletError): void
}

/**
 * Starts the agent in a session of its own: a Ctrl-C in the terminal is the harness's to handle. Like a server
 * that listens, it keeps the harness's event loop alive until it is stopped.
 */
export function startAgent({ onPod, onStatus, onLost }: AgentLinkOptions): AgentLink {
  const child = fork(agentFile, [], {
    detached: true,
    execArgv: [],
    env: { ...passEnv(process.env), ...compileCacheEnv(process.env) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const pending = new Map<number, Pending>()
  let nextId = 1
  let stderr = ''
  let stopping = false
  let ended: GauntletError | null = null

  child.stderr?.setEncoding('utf8')
  child.stderr?.on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrBytes)
  })
  child.on('message', (message: FromAgent) => {
    if (message.kind === 'pod') return onPod(message)
    if (message.kind === 'status') return onStatus(message)
    const waiting = pending.get(message.id)
    pending.delete(message.id)
    if (message.kind === 'reply') waiting?.resolve(message.value as never)
    else waiting?.reject(errorOf(message.refusal))
  })
  const end = (how: string): void => {
    if (ended !== null) return
    ended = stopping
      ? new GauntletError('ERR_CLUSTER', 'the cluster was stopped')
      : new GauntletError(
          'ERR_CLUSTER',
          `the node agent ended (${how}) and took all pods with it${tail(stderr)}`,
          {
            fix: 'start a new cluster',
          },
        )
    for (const { reject } of pending.values()) reject(ended)
    pending.clear()
    if (!stopping) onLost(ended)
  }
  const gone = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      end(signal ?? `exit code ${code}`)
      resolve()
    })
    child.once('error', (error) => {
      end(error.message)
      if (child.pid === undefined) resolve()
    })
  })

  const link: AgentLink = {
    get ended() {
      return ended
    },
    gone,
    request(request) {
      if (ended !== null) return Promise.reject(ended)
      const id = nextId++
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject })
        const message: ToAgent = { id, request }
        child.send(message, (error) => {
          // Its exit tells more; it follows.
          if (error !== null && pending.has(id)) child.kill('SIGKILL')
        })
      })
    },
    async stop() {
      if (ended !== null) return gone
      stopping = true
      const timer = setTimeout(() => child.kill('SIGKILL'), exitTimeoutMs)
      await link.request({ kind: 'stop' }).catch(() => {})
      await gone
      clearTimeout(timer)
    },
  }
  return link
}

function tail(text: string): string {
  return text.trim() === '' ? '' : `:\n${text.trim()}`
}
