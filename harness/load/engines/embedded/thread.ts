// The generator's thread: one load at a time, for as long as its engine lives.

import { type MessagePort, parentPort } from 'node:worker_threads'
import { generate } from './generator.ts'
import type { FromGenerator, ToGenerator } from './messages.ts'

if (parentPort === null) throw new Error('this file is started as a worker thread')
serve(parentPort)

function serve(port: MessagePort): void {
  const say = (message: FromGenerator): void => port.postMessage(message)
  let abort = new AbortController()
  let stop = new AbortController()
  port.on('message', (message: ToGenerator) => {
    if (message.kind === 'abort') abort.abort()
    else if (message.kind === 'stop') stop.abort()
    else if (message.kind === 'close') port.close()
    else {
      abort = new AbortController()
      stop = new AbortController()
      const { signal } = abort
      generate(message.plan, message.flowId, { signal, stop: stop.signal }, (progress) =>
        say({ kind: 'progress', progress }),
      ).then(
        (result) => say({ kind: 'done', result }),
        (error: unknown) =>
          say({ kind: 'broken', stack: error instanceof Error ? `${error.stack}` : String(error) }),
      )
    }
  })
  say({ kind: 'ready' })
}
