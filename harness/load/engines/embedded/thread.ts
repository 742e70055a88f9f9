// The generator's thread: offers loads, several at a time where they are asked for side by side.

import { type MessagePort, parentPort } from 'node:worker_threads'
import { generate } from './generator.ts'
import type { FromGenerator, ToGenerator } from './messages.ts'

if (parentPort === null) throw new Error('this file is started as a worker thread')
serve(parentPort)

function serve(port: MessagePort): void {
  const say = (message: FromGenerator): void => port.postMessage(message)
  const running = new Map<number, { readonly stop: AbortController; readonly interrupt: AbortController }>()

  const tasks = new Set<Promise<void>>()

  async function run({ load, plan, flowId }: Extract<ToGenerator, { kind: 'run' }>): Promise<void> {
    const controls = { stop: new AbortController(), interrupt: new AbortController() }
    running.set(load, controls)
    const signals = { stop: controls.stop.signal, interrupt: controls.interrupt.signal }
    try {
      const result = await generate(plan, flowId, signals, (progress) =>
        say({ kind: 'progress', load, progress }),
      )
      say({ kind: 'done', load, result })
    } catch (error) {
      say({ kind: 'broken', load, stack: error instanceof Error ? `${error.stack}` : String(error) })
    } finally {
      running.delete(load)
    }
  }

  port.on('message', (message: ToGenerator) => {
    if (message.kind === 'run') {
      const task = run(message)
      tasks.add(task)
      void task.finally(() => tasks.delete(task))
    } else if (message.kind === 'close') void Promise.all(tasks).then(() => port.close())
    else running.get(message.load)?.[message.kind].abort()
  })
  say({ kind: 'ready' })
}
