// The entry of a relaying thread: one loop, and messages to and from the main thread.

import { parentPort, workerData } from 'node:worker_threads'
import { GauntletError } from '../../contracts/errors.ts'
import { continueHistory } from '../program/history.ts'
import { openLog } from '../program/log.ts'
import { openSpans } from '../program/spans.ts'
import { type Loop, startLoop } from './loop.ts'
import { type PodWatcher, type Sought, viewBuffers } from './pods.ts'
import type { FromThread, ThreadData, ToThread } from './threads.ts'

const data = workerData as ThreadData
const port = parentPort!
const tell = (message: FromThread): void => port.postMessage(message)

const seeking = new Map<number, (sought: Sought) => void>()
let tickets = 0

/** Everything is decided in the main thread. */
const watcher: PodWatcher = {
  onFault: (key, fault) => tell({ kind: 'fault', key, fault }),
  onInstance: (key, instanceId) => tell({ kind: 'instance', key, instanceId }),
  seek(instanceId, found) {
    const ticket = ++tickets
    seeking.set(ticket, found)
    tell({ kind: 'seek', ticket, instanceId })
  },
  onCallbackLost: (instanceId, id, message) => tell({ kind: 'callback-lost', instanceId, id, message }),
}

const log = openLog(data.log)
const spans = data.trace === null ? null : openSpans(data.trace, log)

startLoop({
  listen: data.listen,
  counts: viewBuffers(data.buffers),
  watcher,
  settings: data.settings,
  spans,
  history: continueHistory(data.historyFile),
  log,
  pod: data.pod,
}).then(
  (loop) => {
    port.on('message', (message: ToThread) => obey(loop, message))
    tell({ kind: 'started', port: loop.port })
  },
  (error: unknown) => {
    if (!(error instanceof GauntletError)) throw error
    const { message, value, fix } = error
    tell({ kind: 'not-started', message, value: String(value), fix: fix ?? '' })
  },
)

function obey(loop: Loop, message: ToThread): void {
  switch (message.kind) {
    case 'pod':
      loop.onPod(message.state)
      break
    case 'pod-gone':
      loop.onPodGone(message.key)
      break
    case 'callback-lost':
      loop.onCallbackLost(message.instanceId, message.id, message.message)
      break
    case 'sought':
      seeking.get(message.ticket)?.(message.sought)
      seeking.delete(message.ticket)
      break
    case 'configure':
      loop.configure(message.settings)
      break
    case 'snapshot':
      void loop.snapshot().then((snapshot) => tell({ kind: 'snapshot', ticket: message.ticket, snapshot }))
      break
    case 'announce-drain':
      loop.announceDrain()
      break
    case 'drain':
      void loop
        .drain()
        .then(() => Promise.all([spans?.flush(), log.drain?.()]))
        .then(() => tell({ kind: 'drained', ticket: message.ticket }))
      break
    case 'close':
      loop.close()
      spans?.close()
      // The port keeps the thread alive.
      port.close()
      break
  }
}
