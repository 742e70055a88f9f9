// The access log: one line for one in so many requests, and for every failure, at a bounded rate.

import type { Log } from '../program/log.ts'
import type { Totals } from './metrics.ts'

export interface AccessEntry {
  readonly method: string
  readonly target: string
  readonly status: number
  readonly backend: string | null
  readonly pinned: string | null
  readonly instanceId: string | null
  readonly stream: boolean
  readonly durationMs: number
  readonly reason: string | null
  readonly traceId: string | null
  readonly spanId: string | null
}

/** Lines a second: each costs a write, and a flood of failures must not stall what still works. */
const maxLinesPerSecond = 1_000
const maxTargetChars = 200

export class AccessLog {
  readonly #log: Log
  readonly #every: number
  readonly #totals: Totals
  readonly #nowMs: () => number
  #seen = 0
  #second = 0
  #lines = 0

  /** @param every one in so many requests is logged, beside every failure */
  constructor(log: Log, every: number, totals: Totals, nowMs: () => number) {
    this.#log = log
    this.#every = every
    this.#totals = totals
    this.#nowMs = nowMs
  }

  write(entry: AccessEntry): void {
    const failed = entry.reason !== null || entry.status >= 500
    if (!failed && ++this.#seen % this.#every !== 0) return
    const second = Math.floor(this.#nowMs() / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#lines = 0
    }
    if (++this.#lines > maxLinesPerSecond) {
      this.#totals.accessLogDropped++
      return
    }
    const fields: Record<string, unknown> = { ...entry, target: entry.target.slice(0, maxTargetChars) }
    for (const [name, value] of Object.entries(fields)) if (value === null) delete fields[name]
    fields['durationMs'] = Math.round(entry.durationMs * 1_000) / 1_000
    this.#log.info(fields, 'request')
  }
}
