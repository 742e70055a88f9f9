// Coverage of pods: V8 writes it when a process exits, so a pod that is about to be killed is asked for it first.

import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** To be preloaded into a pod that is asked. */
export const answerFile = fileURLToPath(new URL('./answer-coverage.ts', import.meta.url))

/** A pod that is frozen or busy for so long is killed without. */
const answerTimeoutMs = 2_000

export function takesCoverage(env: Readonly<Record<string, string | undefined>>): boolean {
  return env['NODE_V8_COVERAGE'] !== undefined
}

/** Resolves when the pod has written its coverage, is gone, or does not answer. Without a channel: at once. */
export function flushCoverage(pod: ChildProcess): Promise<void> {
  if (!pod.connected) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, answerTimeoutMs)
    const done = (): void => {
      clearTimeout(timer)
      resolve()
    }
    pod.once('message', done)
    pod.once('exit', done)
    pod.send('coverage', (error) => {
      if (error !== null) done()
    })
  })
}
