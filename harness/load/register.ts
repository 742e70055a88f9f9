// Stores a workload's flow at the runtime before the load, so that each run only names it.

import { Client } from 'undici'
import { GauntletError } from '../../contracts/errors.ts'

const registerTimeoutMs = 10_000

/**
 * Posts `flow` to `<url>/api/v1/flows` and returns its id.
 * @throws GauntletError ERR_CLUSTER when the runtime does not take it or does not answer within 10 s
 */
export async function registerFlow(url: string, flow: unknown, signal?: AbortSignal): Promise<string> {
  const base = new URL(url)
  const path = `${base.pathname.replace(/\/$/, '')}/api/v1/flows`
  const client = new Client(base.origin)
  const timeout = AbortSignal.timeout(registerTimeoutMs)
  let said: string
  let cause: unknown
  try {
    const { statusCode, body } = await client.request({
      path,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ flow }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    })
    const text = await body.text()
    const flowId = statusCode === 200 ? flowIdOf(text) : undefined
    if (flowId !== undefined) return flowId
    said = `HTTP ${statusCode}: ${text.slice(0, 300)}`
  } catch (error) {
    cause = error
    said = error instanceof Error ? error.message : String(error)
  } finally {
    await client.destroy()
  }
  throw new GauntletError('ERR_CLUSTER', `the flow was not taken: ${said}`, {
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
