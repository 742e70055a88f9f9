// Loops in threads of their own, behind the same port: what they and the main thread tell each other.

import { Worker } from 'node:worker_threads'
import { GauntletError } from '../../contracts/errors.ts'
import type { LogOptions } from '../program/log.ts'
import type { TraceSettings } from '../program/spans.ts'
import type { ListenOptions } from './accept.ts'
import type { Loop, LoopSettings } from './loop.ts'
import type { Snapshot } from './metrics.ts'
import type { Fault, PodState, PodWatcher, SharedBuffers, Sought } from './pods.ts'

/** How a thread starts. */
export interface ThreadData {
  readonly listen: ListenOptions
  readonly buffers: SharedBuffers
  readonly settings: LoopSettings
  readonly trace: TraceSettings | null
  readonly log: LogOptions
  readonly pod: string
  /** Where history records go; empty: nowhere. */
  readonly historyFile: string
}

/** From the main thread to a loop's. */
export type ToThread =
  | { readonly kind: 'pod'; readonly state: PodState }
  | { readonly kind: 'pod-gone'; readonly key: string }
  | {
      readonly kind: 'callback-lost'
      readonly instanceId: string
      readonly id: string
      readonly message: string
    }
  | { readonly kind: 'sought'; readonly ticket: number; readonly sought: Sought }
  | { readonly kind: 'configure'; readonly settings: LoopSettings }
  | { readonly kind: 'snapshot'; readonly ticket: number }
  | { readonly kind: 'announce-drain' }
  | { readonly kind: 'drain'; readonly ticket: number }
  | { readonly kind: 'close' }

/** From a loop's thread to the main one. */
export type FromThread =
  | { readonly kind: 'started'; readonly port: number }
  | { readonly kind: 'not-started'; readonly message: string; readonly value: string; readonly fix: string }
  | { readonly kind: 'fault'; readonly key: string; readonly fault: Fault }
  | { readonly kind: 'instance'; readonly key: string; readonly instanceId: string }
  | { readonly kind: 'seek'; readonly ticket: number; readonly instanceId: string }
  | {
      readonly kind: 'callback-lost'
      readonly instanceId: string
      readonly id: string
      readonly message: string
    }
  | { readonly kind: 'snapshot'; readonly ticket: number; readonly snapshot: Snapshot }
  | { readonly kind: 'drained'; readonly ticket: number }

/**
 * Starts a loop in a thread; what it sees goes to `watcher`.
 * @param onDeath called if the thread ends by itself: it never should
 * @throws GauntletError ERR_LISTEN
 */
export function startThread(
  data: ThreadData,
  watcher: PodWatcher,
  onDeath: (error: Error) => void,
): Promise<Loop> {
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: data })
  const waiting = new Map<number, (message: never) => void>()
  let tickets = 0
  let closed = false
  const tell = (message: ToThread): void => worker.postMessage(message)
  const ask = <M>(make: (ticket: number) => ToThread): Promise<M> =>
    new Promise((resolve) => {
      const ticket = ++tickets
      waiting.set(ticket, resolve as (message: never) => void)
      tell(make(ticket))
    })
  return new Promise((resolve, reject) => {
    worker.on('error', (error) => {
      if (closed) return
      reject(error)
      onDeath(error)
    })
    worker.on('exit', (code) => {
      if (!closed) onDeath(new Error(`a relaying thread ended with code ${code}`))
    })
    worker.on('message', (message: FromThread) => {
      switch (message.kind) {
        case 'started':
          resolve(loop(message.port))
          break
        case 'not-started':
          closed = true
          reject(
            new GauntletError('ERR_LISTEN', message.message, {
              field: '--bind-address',
              value: message.value,
              fix: message.fix,
            }),
          )
          break
        case 'fault':
          watcher.onFault(message.key, message.fault)
          break
        case 'instance':
          watcher.onInstance(message.key, message.instanceId)
          break
        case 'seek':
          watcher.seek(message.instanceId, (sought) =>
            tell({ kind: 'sought', ticket: message.ticket, sought }),
          )
          break
        case 'callback-lost':
          watcher.onCallbackLost(message.instanceId, message.id, message.message)
          break
        case 'snapshot':
        case 'drained':
          waiting.get(message.ticket)?.(message as never)
          waiting.delete(message.ticket)
          break
      }
    })
  })

  function loop(port: number): Loop {
    return {
      port,
      onPod: (state) => tell({ kind: 'pod', state }),
      onPodGone: (key) => tell({ kind: 'pod-gone', key }),
      onCallbackLost: (instanceId, id, message) => tell({ kind: 'callback-lost', instanceId, id, message }),
      configure: (settings) => tell({ kind: 'configure', settings }),
      async snapshot() {
        const { snapshot } = await ask<{ snapshot: Snapshot }>((ticket) => ({ kind: 'snapshot', ticket }))
        return snapshot
      },
      announceDrain: () => tell({ kind: 'announce-drain' }),
      drain: () => ask((ticket) => ({ kind: 'drain', ticket })),
      close() {
        closed = true
        tell({ kind: 'close' })
      },
    }
  }
}
