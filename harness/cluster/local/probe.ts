// Probes as the kubelet does them: one HTTP GET on a fresh connection, and what a row of results means.

import { get } from 'node:http'

export interface ProbeResult {
  readonly ok: boolean
  /** The program answered at all, whatever the status. */
  readonly answered: boolean
  /** Why it is not ok, in a few words; empty where it is. */
  readonly reason: string
}

const reasonBytes = 200

/** Any status from 200 to 399 is ok. Never rejects. */
export function probe(
  url: { readonly address: string; readonly port: number; readonly path: string },
  timeoutMs: number,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      request.destroy()
      resolve({ ok: false, answered: false, reason: `no answer in ${timeoutMs} ms` })
    }, timeoutMs)
    const done = (result: ProbeResult): void => {
      clearTimeout(timer)
      request.destroy()
      resolve(result)
    }
    const request = get(
      { host: url.address, port: url.port, path: url.path, agent: false, maxHeaderSize: 4_096 },
      (response) => {
        const status = response.statusCode ?? 0
        if (status >= 200 && status < 400) return done({ ok: true, answered: true, reason: '' })
        let text = ''
        const end = (): void =>
          done({ ok: false, answered: true, reason: `HTTP ${status}: ${text.trim().slice(0, reasonBytes)}` })
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
          if (text.length > reasonBytes) end()
        })
        response.on('end', end)
        response.on('error', end)
      },
    )
    request.on('error', (error: NodeJS.ErrnoException) =>
      done({ ok: false, answered: false, reason: error.code ?? error.message }),
    )
  })
}

/** A pod's readiness as its probes see it. */
export interface Readiness {
  readonly ready: boolean
  /** Failures since the last success. */
  readonly failures: number
  /** Why it is not ready; null when it is. */
  readonly reason: string | null
}

export const notStarted: Readiness = { ready: false, failures: 0, reason: 'starting' }

/** One success makes a pod ready; `threshold` failures in a row make it unready. */
export function afterProbe(before: Readiness, result: ProbeResult, threshold: number): Readiness {
  if (result.ok) return { ready: true, failures: 0, reason: null }
  const failures = before.failures + 1
  if (before.ready && failures < threshold) return { ready: true, failures, reason: null }
  return { ready: false, failures, reason: result.reason }
}
