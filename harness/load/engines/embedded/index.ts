// The embedded engine: load from a thread of its own, so that the harness's work does not delay arrivals.

import { Worker } from 'node:worker_threads'
import type { LoadEngine, LoadOptions, LoadResult } from '../../../../contracts/load.ts'
import { type LoadPlan, planLoad } from '../../options.ts'
import { registerFlow } from '../../register.ts'
import type { FromGenerator, ToGenerator } from './messages.ts'

/** How long a thread may take to end by itself at disposal, ms. */
const closeMs = 1_000

/**
 * Starts the engine; its first thread is ready when this resolves. Loads may run side by side, each on a
 * thread of its own. `run` throws GauntletError: ERR_CONFIG_RANGE and ERR_CONFIG_FIELD for options that
 * cannot be offered, ERR_CLUSTER when the target does not take the flow.
 */
export async function createEmbeddedEngine(): Promise<LoadEngine> {
  const threads = new Set<Thread>()
  const idle: Thread[] = []
  let closed = false
  const start = async (): Promise<Thread> => {
    const thread = await startThread()
    threads.add(thread)
    return thread
  }
  idle.push(await start())

  return {
    kind: 'embedded',
    async run(options) {
      if (closed) throw new Error('the engine is closed')
      const plan = planLoad(options)
      const { target, workload } = plan
      const flowId =
        target.kind === 'runs' ? await registerFlow(target.url, workload.flow, options.signal) : ''
      const thread = idle.pop() ?? (await start())
      try {
        return await thread.run(plan, flowId, options)
      } finally {
        if (thread.alive) idle.push(thread)
        else threads.delete(thread)
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true
      await Promise.all([...threads].map((thread) => thread.close()))
    },
  }
}

interface Thread {
  readonly alive: boolean
  run(plan: LoadPlan, flowId: string, options: LoadOptions): Promise<LoadResult>
  close(): Promise<void>
}

async function startThread(): Promise<Thread> {
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { name: 'load generator' })
  const say = (message: ToGenerator): void => worker.postMessage(message)
  const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  let alive = true
  /** Settles with the load that runs now. */
  let running: Promise<unknown> = Promise.resolve()
  /** Ends the promise that waits for the thread: its start or its load. */
  let onMessage: (message: FromGenerator) => void = () => {}
  let onDeath: (error: unknown) => void = () => {}
  worker.on('message', (message: FromGenerator) => onMessage(message))
  worker.on('error', (error) => onDeath(error))
  worker.on('exit', () => {
    alive = false
    onDeath(new Error('the load generator ended in the middle of a load'))
  })
  await new Promise<void>((resolve, reject) => {
    onMessage = () => resolve()
    onDeath = reject
  })
  // Idle threads do not keep the harness alive.
  worker.unref()

  return {
    get alive() {
      return alive
    },
    async run(plan, flowId, { signal, stop, onProgress }) {
      const abort = (): void => say({ kind: 'abort' })
      const end = (): void => say({ kind: 'stop' })
      worker.ref()
      try {
        const result = new Promise<LoadResult>((resolve, reject) => {
          onMessage = (message) => {
            if (message.kind === 'progress') onProgress?.(message.progress)
            else if (message.kind === 'done') resolve(message.result)
            else if (message.kind === 'broken') {
              reject(new Error(`the load generator broke: ${message.stack}`))
            }
          }
          onDeath = reject
          say({ kind: 'run', plan, flowId })
          if (signal?.aborted) abort()
          else signal?.addEventListener('abort', abort, { once: true })
          if (stop?.aborted) end()
          else stop?.addEventListener('abort', end, { once: true })
        })
        running = result.catch(() => {})
        return await result
      } finally {
        signal?.removeEventListener('abort', abort)
        stop?.removeEventListener('abort', end)
        worker.unref()
      }
    },
    async close() {
      // A thread that ends by itself writes its coverage; one that does not is ended.
      const timer = setTimeout(() => void worker.terminate(), closeMs)
      worker.ref()
      // Whoever still waits for a load gets what was measured until now.
      say({ kind: 'abort' })
      await running
      say({ kind: 'close' })
      await gone
      clearTimeout(timer)
    },
  }
}
