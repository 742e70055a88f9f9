// The embedded engine: load from a thread of its own, so that the harness's work does not delay arrivals.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { LoadEngine, LoadOptions, LoadResult } from '../../../../contracts/load.ts'
import { type LoadPlan, planLoad } from '../../options.ts'
import { registerFlow } from '../../register.ts'
import type { FromGenerator, ToGenerator } from './messages.ts'

/** How long the thread may take to end by itself at disposal, ms. */
const closeMs = 1_000

/** A load that the thread offers, as this side waits for it. */
interface Running {
  readonly onProgress: LoadOptions['onProgress']
  readonly resolve: (result: LoadResult) => void
  readonly reject: (error: unknown) => void
}

/**
 * Starts the engine; its thread is ready when this resolves. Loads may run side by side: they share the thread, and
 * its utilisation is that of all. `run` throws GauntletError: ERR_CONFIG_RANGE and ERR_CONFIG_FIELD for options that
 * cannot be offered, ERR_CLUSTER when the target does not take the flow. Disposing ends running loads with what was
 * measured until then.
 */
export async function createEmbeddedEngine(): Promise<LoadEngine> {
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { name: 'load generator' })
  const say = (message: ToGenerator): void => worker.postMessage(message)
  const running = new Map<number, Running>()
  let loads = 0
  let closed = false
  let death: unknown = null

  const end = (load: number): void => {
    running.delete(load)
    // An idle engine does not keep the harness alive.
    if (running.size === 0) worker.unref()
  }
  const die = (error: unknown): void => {
    death ??= error
    for (const [load, { reject }] of running) {
      end(load)
      reject(death)
    }
  }
  worker.on('message', (message: FromGenerator) => {
    if (message.kind === 'ready') return
    const load = running.get(message.load)
    if (load === undefined) return
    if (message.kind === 'progress') return load.onProgress?.(message.progress)
    end(message.load)
    if (message.kind === 'done') load.resolve(message.result)
    else load.reject(new Error(`the load generator broke: ${message.stack}`))
  })
  worker.on('error', die)
  const gone = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      die(new Error('the load generator ended in the middle of a load'))
      resolve()
    })
  })
  await Promise.race([
    once(worker, 'message'),
    gone.then(() => {
      throw death
    }),
  ])
  worker.unref()

  function offer(plan: LoadPlan, flowId: string, onProgress: LoadOptions['onProgress']) {
    const load = ++loads
    const result = new Promise<LoadResult>((resolve, reject) => {
      running.set(load, { onProgress, resolve, reject })
    })
    worker.ref()
    say({ kind: 'run', load, plan, flowId })
    return { load, result }
  }

  return {
    kind: 'embedded',
    async run(options) {
      const plan = planLoad(options)
      const { target, workload } = plan
      const { signal, stop } = options
      const flowId = target.kind === 'runs' ? await registerFlow(target.url, workload.flow, signal) : ''
      if (closed) throw new Error('the engine is closed')
      if (death !== null) throw death
      const { load, result } = offer(plan, flowId, options.onProgress)
      const onInterrupt = (): void => say({ kind: 'interrupt', load })
      const onStop = (): void => say({ kind: 'stop', load })
      if (signal?.aborted) onInterrupt()
      else signal?.addEventListener('abort', onInterrupt, { once: true })
      if (stop?.aborted) onStop()
      else stop?.addEventListener('abort', onStop, { once: true })
      try {
        return await result
      } finally {
        signal?.removeEventListener('abort', onInterrupt)
        stop?.removeEventListener('abort', onStop)
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true
      // A thread that ends by itself writes its coverage; one that does not is ended.
      const timer = setTimeout(() => void worker.terminate(), closeMs)
      worker.ref()
      for (const load of running.keys()) say({ kind: 'interrupt', load })
      say({ kind: 'close' })
      await gone
      clearTimeout(timer)
    },
  }
}
