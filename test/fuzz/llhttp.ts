// llhttp, the parser of Node and of many a pod, as the oracle of differential tests: bytes in, messages out.

import { createRequire } from 'node:module'

export interface OracleMessage {
  readonly method: string
  readonly target: string
  /** `1.1` */
  readonly version: string
  readonly status: number
  /** Names and values in turn, as they came, without the white space around values. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: string
  readonly complete: boolean
  /** Asks for another protocol behind its head. */
  readonly upgrade: boolean
}

export interface OracleResult {
  readonly messages: readonly OracleMessage[]
  /** llhttp's reason, or null where it is content so far. */
  readonly error: string | null
}

interface Exports {
  readonly memory: WebAssembly.Memory
  _initialize(): void
  malloc(bytes: number): number
  llhttp_alloc(type: number): number
  llhttp_free(parser: number): void
  llhttp_execute(parser: number, at: number, bytes: number): number
  llhttp_finish(parser: number): number
  llhttp_get_method(parser: number): number
  llhttp_get_http_major(parser: number): number
  llhttp_get_http_minor(parser: number): number
  llhttp_get_error_reason(parser: number): number
}

const require = createRequire(import.meta.url)
const constants = require('undici/lib/llhttp/constants.js') as {
  METHODS: Record<string, number>
  TYPE: { REQUEST: number; RESPONSE: number }
}
const methodNames = new Map(Object.entries(constants.METHODS).map(([name, number]) => [number, name]))
const pausedForUpgrade = 22
const maxInputBytes = 65_536

let current: Collector | null = null
let input: Buffer = Buffer.alloc(0)
const wasm = load()
const inputAt = wasm.malloc(maxInputBytes)

/**
 * Parses all of `bytes` at once, strictly.
 * @param ended the connection ends behind them
 * @param head the request was HEAD, so that answers have no body
 */
export function parseByLlhttp(
  kind: 'request' | 'response',
  bytes: Buffer,
  ended = false,
  head = false,
): OracleResult {
  if (bytes.length > maxInputBytes) throw new RangeError(`${bytes.length} bytes`)
  const parser = wasm.llhttp_alloc(kind === 'request' ? constants.TYPE.REQUEST : constants.TYPE.RESPONSE)
  new Uint8Array(wasm.memory.buffer).set(bytes, inputAt)
  const collector = new Collector(parser, head)
  current = collector
  input = bytes
  try {
    let code = wasm.llhttp_execute(parser, inputAt, bytes.length)
    if (code === 0 && ended) code = wasm.llhttp_finish(parser)
    const error = code === 0 || code === pausedForUpgrade ? null : reason(parser)
    return { messages: collector.finish(), error }
  } finally {
    current = null
    wasm.llhttp_free(parser)
  }
}

class Collector {
  readonly #parser: number
  readonly #head: boolean
  readonly #messages: OracleMessage[] = []
  #open = false
  #target = ''
  #names: string[] = []
  #values: string[] = []
  #inValue = true
  #body = ''
  #status = 0
  #method = ''
  #version = ''
  #headDone = false
  #upgrade = false

  constructor(parser: number, head: boolean) {
    this.#parser = parser
    this.#head = head
  }

  begin(): void {
    this.#open = true
    this.#target = this.#body = ''
    this.#names = []
    this.#values = []
    this.#inValue = true
    this.#headDone = this.#upgrade = false
  }

  target(text: string): void {
    this.#target += text
  }

  name(text: string): void {
    if (this.#headDone) return
    if (this.#inValue) this.#names.push('')
    this.#inValue = false
    this.#names[this.#names.length - 1] += text
  }

  value(text: string): void {
    if (this.#headDone) return
    this.#inValue = true
    const index = this.#names.length - 1
    this.#values[index] = (this.#values[index] ?? '') + text
  }

  headDone(status: number, upgrade: boolean): number {
    this.#headDone = true
    this.#status = status
    this.#upgrade = upgrade
    this.#version = `${wasm.llhttp_get_http_major(this.#parser)}.${wasm.llhttp_get_http_minor(this.#parser)}`
    this.#method = methodNames.get(wasm.llhttp_get_method(this.#parser)) ?? ''
    return this.#head ? 1 : 0
  }

  body(text: string): void {
    this.#body += text
  }

  done(): void {
    this.#push(true)
    this.#open = false
  }

  finish(): readonly OracleMessage[] {
    if (this.#open && this.#headDone) this.#push(false)
    return this.#messages
  }

  #push(complete: boolean): void {
    this.#messages.push({
      method: this.#method,
      target: this.#target,
      version: this.#version,
      status: this.#status,
      fields: this.#names.map((name, index) => [
        name,
        (this.#values[index] ?? '').replace(/^[ \t]+|[ \t]+$/g, ''),
      ]),
      body: this.#body,
      complete,
      upgrade: this.#upgrade,
    })
  }
}

function load(): Exports {
  const bytes = require('undici/lib/llhttp/llhttp-wasm.js') as Buffer
  const text = (at: number, length: number): string =>
    input.toString('latin1', at - inputAt, at - inputAt + length)
  const span =
    (call: (collector: Collector, text: string) => void) => (_: number, at: number, length: number) => {
      call(current!, text(at, length))
      return 0
    }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), {
    env: {
      wasm_on_message_begin: () => {
        current!.begin()
        return 0
      },
      wasm_on_url: span((collector, part) => collector.target(part)),
      wasm_on_status: () => 0,
      wasm_on_header_field: span((collector, part) => collector.name(part)),
      wasm_on_header_value: span((collector, part) => collector.value(part)),
      wasm_on_headers_complete: (_: number, status: number, upgrade: number) =>
        current!.headDone(status, upgrade === 1),
      wasm_on_body: span((collector, part) => collector.body(part)),
      wasm_on_message_complete: () => {
        current!.done()
        return 0
      },
    },
  })
  const exports = instance.exports as unknown as Exports
  exports._initialize()
  return exports
}

function reason(parser: number): string {
  const at = wasm.llhttp_get_error_reason(parser)
  const memory = Buffer.from(wasm.memory.buffer)
  return memory.toString('latin1', at, memory.indexOf(0, at))
}
