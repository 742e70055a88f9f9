// Stores a workload's flow at the runtime before the load, so that each run only names it.

import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'undici'
import { GauntletError } from '../../contracts/errors.ts'

/** ms for all attempts; the runtime may just be on its way up, as after a rollout. */
const registerTimeoutMs = 20_000
/** ms for a connection: one to a pod that goes away at that moment may never come to stand. */
const connectTimeoutMs = 2_000
const pauseMs = 200

/**
 * Posts `flow` to `<url>/api/v1/flows` and returns its id. A flow's id is its content's hash, so an attempt without an
 * answer, or answered 503, is repeated.
 * @throws GauntletError ERR_CLUSTER when the runtime does not take it, or not within 20 s
 */
export async function registerFlow(url: string, flow: unknown, signal?: AbortSignal): Promise<string> {
  const base = new URL(url)
  const path = `${base.pathname.replace(/\/$/, '')}/api/v1/flows`
  const timeout = AbortSignal.timeout(registerTimeoutMs)
  const limit = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  let said: string | null = null
  let cause: unknown
  while (!limit.aborted) {
    const client = new Client(base.origin, { connectTimeout: connectTimeoutMs })
    try {
      const { statusCode, body } = await client.request({
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ flow }),
        signal: limit,
      })
      const text = await body.text()
      cause = undefined
      said = `HTTP ${statusCode}: ${text.slice(0, 300)}`
      const flowId = statusCode === 200 ? flowIdOf(text) : undefined
      if (flowId !== undefined) return flowId
      if (statusCode !== 503) break
    } catch (error) {
      // What the last whole attempt said is told, rather than that time was up.
      if (!limit.aborted || said === null) {
        cause = error
        said = error instanceof Error ? error.message : String(error)
      }
    } finally {
      await client.destroy()
    }
    await sleep(pauseMs, undefined, { signal: limit }).catch(() => {})
  }
  throw new GauntletError('ERR_CLUSTER', `the flow was not taken: ${said ?? 'no answer'}`, {
    field: `POST ${path}`,
    fix: 'mend the flow, or see that the runtime is ready',
    cause,
  })
}

function flowIdOf(body: string): string | undefined {
  const answer: unknown = JSON.parse(body)
  if (typeof answer !== 'object' || answer === null || !('flowId' in answer)) return undefined
  return typeof answer.flowId === 'string' ? answer.flowId : undefined
}
