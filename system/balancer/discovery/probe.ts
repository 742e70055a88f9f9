// One health check: GET /health at a pod, judged.

import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import { isInstanceId } from '../head/request.ts'

export type ProbeResult =
  | { readonly kind: 'good'; readonly instanceId: string }
  | { readonly kind: 'bad'; readonly problem: string }
  | { readonly kind: 'slow' }
  | { readonly kind: 'fault'; readonly problem: string }

export type Probe = (host: string, port: number) => Promise<ProbeResult>

const maxBodyBytes = 65_536

/**
 * A probe that gives a pod `timeoutMs` for its whole answer, on a connection of its own.
 * @param tls how pods are connected to; null: plainly
 */
export function createProbe(timeoutMs: number, tls: () => ConnectionOptions | null = () => null): Probe {
  return (host, port) =>
    new Promise((resolve) => {
      const done = (result: ProbeResult): void => {
        clearTimeout(timer)
        resolve(result)
        outgoing.destroy()
      }
      const options = { host, port, path: '/health', agent: false, headers: { connection: 'close' } } as const
      const secure = tls()
      const outgoing = secure === null ? requestHttp(options) : requestHttps({ ...options, ...secure })
      const timer = setTimeout(() => done({ kind: 'slow' }), timeoutMs)
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        done(
          error.code?.startsWith('HPE_')
            ? { kind: 'bad', problem: error.code }
            : error.code === 'EMFILE' || error.code === 'ENFILE' || error.code === 'EADDRNOTAVAIL'
              ? { kind: 'slow' }
              : { kind: 'fault', problem: error.code ?? error.message },
        )
      })
      outgoing.on('response', (incoming) => {
        let body = ''
        incoming.setEncoding('utf8')
        incoming.on('data', (text: string) => {
          body += text
          if (body.length > maxBodyBytes) done({ kind: 'bad', problem: 'an endless health answer' })
        })
        incoming.on('error', (error) => done({ kind: 'fault', problem: error.message }))
        incoming.on('end', () => done(judge(incoming.statusCode ?? 0, body)))
      })
      outgoing.end()
    })
}

/** What a health answer says. */
export function judge(status: number, body: string): ProbeResult {
  if (status < 200 || status > 299) return { kind: 'bad', problem: `status ${status}` }
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch {
    return { kind: 'bad', problem: 'no JSON' }
  }
  const { status: said, instanceId } = (answer ?? {}) as Record<string, unknown>
  if (said !== 'healthy') return { kind: 'bad', problem: `status is ${JSON.stringify(said) ?? 'absent'}` }
  if (typeof instanceId !== 'string' || !isInstanceId(instanceId))
    return { kind: 'bad', problem: 'no instanceId' }
  return { kind: 'good', instanceId }
}
