// History records as lines of JSON, in ASCII, put together in bytes that wait to be written.
//
// What programs record of each request is an array of a record's values in the order of `fieldsInOrder`, put in byte by
// byte: this runs between two events of a run, each time cold, where every constant, string and function that it touches
// counts (docs/benchmarks.md, History).

import type { NewRecord } from './history.ts'

/** Longest text that is put in as it comes; a record with a longer one is left to JSON.stringify. */
const mostText = 1_000
/** Bytes that a record may need: eight texts, each character as \uXXXX, and the rest of its line. */
const mostLine = 8 * 6 * mostText + 1_000
/** So many bytes may wait. */
const mostWaiting = 16_384

const comma = 0x2c
const quote = 0x22
const backslash = 0x5c

/** Bytes that `Lines` needs. */
export const linesBytes = mostWaiting + mostLine

/** Lines that wait to be written: the first `length` of `bytes`. */
export class Lines {
  readonly bytes: Uint8Array
  length = 0
  #isLong = false

  constructor(bytes: Uint8Array = new Uint8Array(linesBytes)) {
    this.bytes = bytes
  }

  /** No more should wait. */
  get full(): boolean {
    return this.length >= mostWaiting
  }

  /** Adds `record` at `at`, µs, unless `full`. False: it is a line of its own (`longLine`), and nothing was added. */
  add(at: number, record: NewRecord): boolean {
    const start = this.length
    switch (record.kind) {
      case 'run.accepted':
        this.#begin('["run.accepted",', at)
        this.#text(record.runId)
        this.#text(record.flowId)
        this.#number(record.inFlight)
        break
      case 'run.ended':
        this.#begin('["run.ended",', at)
        this.#text(record.runId)
        this.#text(record.status)
        this.#number(record.inFlight)
        break
      case 'step.started':
        this.#begin('["step.started",', at)
        this.#text(record.runId)
        this.#text(record.stepId)
        this.#number(record.item)
        this.#text(record.component)
        break
      case 'call.sent':
        this.#begin('["call.sent",', at)
        this.#text(record.runId)
        this.#text(record.stepId)
        this.#number(record.item)
        this.#number(record.attempt)
        this.#text(record.requestId)
        break
      case 'call.answered':
        this.#begin('["call.answered",', at)
        this.#text(record.requestId)
        this.#number(record.status)
        this.#flag(record.stream)
        this.#text(record.instanceId)
        break
      case 'callback.received':
        this.#begin('["callback.received",', at)
        this.#text(record.requestId)
        this.#text(record.callbackId)
        this.#text(record.method)
        this.#text(record.instanceId)
        break
      case 'callback.replied':
        this.#begin('["callback.replied",', at)
        this.#text(record.requestId)
        this.#text(record.callbackId)
        this.#number(record.status)
        this.#text(record.instanceId)
        this.#text(record.error)
        break
      case 'step.result':
        this.#begin('["step.result",', at)
        this.#text(record.runId)
        this.#text(record.stepId)
        this.#number(record.item)
        this.#number(record.attempt)
        this.#text(record.outcome)
        this.#text(record.requestId)
        this.#text(record.instanceId)
        this.#text(record.error)
        break
      case 'request.routed':
        this.#begin('["request.routed",', at)
        this.#number(record.status)
        this.#flag(record.stream)
        this.#text(record.backend)
        this.#text(record.pinned)
        this.#text(record.instanceId)
        this.#text(record.reason)
        break
      case 'execute.received':
        this.#begin('["execute.received",', at)
        this.#text(record.requestId)
        this.#text(record.component)
        this.#number(record.attempt)
        this.#flag(record.stream)
        this.#text(record.runId)
        this.#text(record.stepId)
        this.#text(record.via)
        break
      case 'execute.answered':
        this.#begin('["execute.answered",', at)
        this.#text(record.requestId)
        this.#text(record.outcome)
        this.#text(record.error)
        break
      case 'callback.sent':
        this.#begin('["callback.sent",', at)
        this.#text(record.requestId)
        this.#text(record.callbackId)
        this.#text(record.method)
        break
      case 'callback.resolved':
        this.#begin('["callback.resolved",', at)
        this.#text(record.callbackId)
        this.#number(record.roundTripUs)
        this.#text(record.outcome)
        this.#text(record.via)
        break
      default:
        return false
    }
    if (this.#isLong) {
      this.#isLong = false
      this.length = start
      return false
    }
    const { bytes, length } = this
    // In place of the comma behind the last value.
    bytes[length - 1] = 0x5d
    bytes[length] = 0x0a
    this.length = length + 1
    return true
  }

  #begin(kind: string, at: number): void {
    this.#put(kind)
    const seconds = Math.floor(at / 1_000_000)
    if (seconds > 0) this.#digits(seconds, 1)
    this.#digits(at - seconds * 1_000_000, seconds > 0 ? 6 : 1)
    this.bytes[this.length++] = comma
  }

  #text(value: string | undefined): void {
    if (value === undefined) {
      this.#put('null,')
      return
    }
    if (value.length > mostText) {
      this.#isLong = true
      return
    }
    const { bytes } = this
    let at = this.length
    bytes[at++] = quote
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index)
      if (code < 0x20 || code > 0x7e || code === quote || code === backslash) {
        this.#put(ascii(JSON.stringify(value)))
        this.bytes[this.length++] = comma
        return
      }
      bytes[at++] = code
    }
    bytes[at++] = quote
    bytes[at++] = comma
    this.length = at
  }

  #flag(value: boolean): void {
    this.#put(value ? 'true,' : 'false,')
  }

  #number(value: number): void {
    // Whole and not negative, all of them, but no such record may break a line.
    if (value >>> 0 === value) this.#digits(value, 1)
    else this.#put(JSON.stringify(value))
    this.bytes[this.length++] = comma
  }

  /** A whole number below 2^32, with zeros in front up to `least` digits, which is 1 or 6. */
  #digits(value: number, least: number): void {
    const { bytes } = this
    let width = least
    for (let top = least === 1 ? 10 : 1_000_000; top <= value; top *= 10) width++
    let at = this.length + width
    this.length = at
    let rest = value >>> 0
    while (width-- > 0) {
      const next = (rest / 10) >>> 0
      bytes[--at] = 0x30 + rest - next * 10
      rest = next
    }
  }

  #put(text: string): void {
    const { bytes } = this
    let { length } = this
    for (let index = 0; index < text.length; index++) bytes[length++] = text.charCodeAt(index)
    this.length = length
  }
}

/** Any record as a line: an object, or, of the kinds above, one with a text that is long. */
export function longLine(at: number, record: NewRecord): string {
  return `${ascii(JSON.stringify({ at, ...record }))}\n`
}

function ascii(json: string): string {
  return json.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
