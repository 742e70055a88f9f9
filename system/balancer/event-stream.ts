// An SSE answer on its way through: whole characters, where events end, and the callbacks that it asks for.

import { findTopLevel } from './request-id.ts'
import { completeUtf8 } from './utf8.ts'

/** Of a longer event only the start is looked at for a callback's id. */
const maxLookChars = 4_096
/** Callbacks remembered of one stream; older ones are forgotten first. */
const maxCallbacks = 256

export class EventStream {
  /** Bytes of a character whose rest has not come. */
  #tail = ''
  /** The last bytes forwarded. */
  #last = ''
  /** Start of the event that has not ended. */
  #event = ''
  /** JSON-RPC ids of callbacks, raw, that were not answered yet. */
  readonly callbacks = new Set<string>()
  readonly #onCallback: (id: string) => void
  readonly #onForgotten: (id: string) => void

  /** @param onCallback hears of each callback in the stream, `onForgotten` of one that is dropped for room */
  constructor(onCallback: (id: string) => void, onForgotten: (id: string) => void) {
    this.#onCallback = onCallback
    this.#onForgotten = onForgotten
  }

  /** Takes what came (latin1 of UTF-8 bytes) and returns what can be forwarded now; `end`: nothing follows. */
  take(text: string, end: boolean): string {
    if (this.#tail !== '') text = this.#tail + text
    const whole = end ? text.length : completeUtf8(text)
    this.#tail = whole === text.length ? '' : text.slice(whole)
    if (whole !== text.length) text = text.slice(0, whole)
    if (text !== '') {
      const before = this.#last
      this.#last = text.length >= 4 ? text.slice(-4) : (before + text).slice(-4)
      this.#look(text, before)
    }
    return text
  }

  /** Nothing was forwarded yet, or a whole event: a comment, or another event, may follow. */
  get betweenEvents(): boolean {
    return (
      this.#tail === '' && (this.#last === '' || this.#last.endsWith('\n\n') || this.#last === '\r\n\r\n')
    )
  }

  /** What closes an event that was cut, so that another can follow. */
  get gap(): string {
    return this.betweenEvents || (this.#tail !== '' && this.#last.endsWith('\n\n')) ? '' : '\n\n'
  }

  #look(text: string, before: string): void {
    let from = 0
    for (;;) {
      const end = eventEnd(text, from, before)
      if (end === -1) break
      this.#readEvent(this.#event + text.slice(from, Math.min(end, from + this.#room)))
      this.#event = ''
      from = end
    }
    this.#event += text.slice(from, from + this.#room)
  }

  /** Characters of the present event that are still looked at. */
  get #room(): number {
    return maxLookChars - this.#event.length
  }

  #readEvent(event: string): void {
    // Requests only: an answer's event has no method.
    if (!event.includes('"method"')) return
    const data = /(?:^|\n)data: ?/.exec(event)
    if (data === null) return
    const json = event.slice(data.index + data[0].length)
    if (findTopLevel(json, 'method') === null) return
    const id = findTopLevel(json, 'id')
    if (id === null || id.length > 256) return
    if (this.callbacks.size >= maxCallbacks) {
      for (const oldest of this.callbacks) {
        this.callbacks.delete(oldest)
        this.#onForgotten(oldest)
        break
      }
    }
    this.callbacks.add(id)
    this.#onCallback(id)
  }
}

/** Index behind the blank line that ends the event; `before` was forwarded before `text`. -1: it goes on. */
function eventEnd(text: string, from: number, before: string): number {
  // The blank line may be split between two reads.
  if (from === 0 && /[^\n]\r?\n\r?$/.test(before)) {
    if (text.startsWith('\n')) return 1
    if (before.endsWith('\n') && text.startsWith('\r\n')) return 2
  }
  const lf = text.indexOf('\n\n', from)
  const crlf = text.indexOf('\n\r\n', from)
  if (lf === -1) return crlf === -1 ? -1 : crlf + 3
  return crlf === -1 || lf < crlf ? lf + 2 : crlf + 3
}
