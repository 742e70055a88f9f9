// A pod's agent as the driver uses it: its history is followed from the first moment, its program gets signals.

import { type IncomingMessage, request } from 'node:http'
import { GauntletError } from '../../../contracts/errors.ts'
import { shiftLines, shiftOf } from './history-clock.ts'

export type Signal = 'SIGSTOP' | 'SIGCONT' | 'SIGTERM' | 'SIGKILL'

export interface AgentLinkOptions {
  readonly pod: string
  readonly token: string
  /** `host:port` at which the agent can be reached from here. */
  readonly address: () => Promise<string>
  /** Wall-clock ms of this machine's CLOCK_MONOTONIC zero. */
  readonly originMs: number
}

/** Before a follower that broke off is begun again, ms. */
const againMs = 100
const answerTimeoutMs = 10_000
/** A history longer than this is compacted when the driver meets it: it is of trials that are over. */
const staleBytes = 4 * 1024 * 1024

export class AgentLink {
  readonly #options: AgentLinkOptions
  readonly #ended = new AbortController()
  readonly #decoder = new TextDecoder()
  #following: Promise<void> | null = null
  #bytes = 0
  #text = ''
  /** The last line as far as it came. */
  #rest = ''
  #shiftUs: number | null = null

  constructor(options: AgentLinkOptions) {
    this.#options = options
  }

  /** Records that have come so far: whole lines. */
  get text(): string {
    return this.#text
  }

  /** Begins to follow. */
  follow(): void {
    this.#following ??= this.#keepFollowing()
  }

  /** Shortens a history left by earlier trials; to be called before `follow`, while the system is idle. */
  async compactStale(): Promise<void> {
    try {
      const bytes = await this.#historyBytes()
      if (bytes > staleBytes) await this.#post('/compact')
    } catch (error) {
      // The pod went meanwhile.
      if (!this.#gone) throw error
    }
  }

  /** Resolves once every record that is written by now has come. */
  async catchUp(): Promise<void> {
    const wanted = await this.#historyBytes()
    await this.received(wanted)
  }

  /** Resolves once so many bytes have come. @throws GauntletError ERR_TIMEOUT */
  async received(bytes: number): Promise<void> {
    const deadline = performance.now() + answerTimeoutMs
    while (this.#bytes < bytes) {
      if (performance.now() > deadline || this.#ended.signal.aborted) {
        throw new GauntletError('ERR_TIMEOUT', `its agent sent ${this.#bytes} of ${bytes} bytes of history`, {
          field: this.#options.pod,
        })
      }
      await pause(10, this.#ended.signal)
    }
  }

  /**
   * Signals the program; resolves when the signal took effect, with the bytes of history at that moment.
   * @throws GauntletError ERR_CLUSTER where no program runs or the agent does not answer
   */
  async signal(signal: Signal): Promise<number> {
    const answer = await this.#post(`/signal?name=${signal}`)
    return answer.historyBytes
  }

  /**
   * Asks the proxy in front of the pod's program; see agent/link.ts. A `moment` answers when it comes.
   * @throws GauntletError ERR_CLUSTER where there is none, or the pod is gone
   */
  async link<T extends object>(
    what: 'add' | 'remove' | 'report' | 'moment' | 'release',
    body: object,
  ): Promise<T> {
    const response = await this.#open('POST', `/link/${what}`, body)
    return (await this.#json(response)) as unknown as T
  }

  /** The pod is gone: what the agent still sends is taken, then the follower ends. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.#ended.abort(), 1_000)
    this.#gone = true
    await this.#following
    clearTimeout(timer)
    this.#ended.abort()
  }

  stop(): void {
    this.#gone = true
    this.#ended.abort()
  }

  #gone = false

  async #keepFollowing(): Promise<void> {
    while (!this.#gone) {
      try {
        await this.#followOnce()
      } catch {
        // The agent starts, the pod goes, or a tunnel broke: what is missing comes with the next attempt, if any.
      }
      if (!this.#gone) await pause(againMs, this.#ended.signal)
    }
  }

  async #followOnce(): Promise<void> {
    const response = await this.#open('GET', `/history?from=${this.#bytes}`)
    if (response.statusCode !== 200) {
      response.resume()
      return
    }
    for await (const chunk of response) this.#take(chunk as Buffer)
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true })
    const end = text.lastIndexOf('\n') + 1
    this.#rest = text.slice(end)
    if (end === 0) return
    this.#shiftUs ??= shiftOf(text.slice(0, text.indexOf('\n')), this.#options.originMs)
    this.#text += shiftLines(text.slice(0, end), this.#shiftUs)
  }

  async #historyBytes(): Promise<number> {
    return (await this.#json(await this.#open('GET', '/size'))).historyBytes
  }

  async #post(path: string): Promise<{ readonly historyBytes: number }> {
    return this.#json(await this.#open('POST', path))
  }

  async #json(response: IncomingMessage): Promise<{ readonly historyBytes: number }> {
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk as string
    if (response.statusCode === 200) return JSON.parse(text) as { historyBytes: number }
    throw new GauntletError('ERR_CLUSTER', `its agent answers ${response.statusCode}: ${text.trim()}`, {
      field: this.#options.pod,
      fix: response.statusCode === 401 ? 'run npm run deploy again' : 'wait until it is ready',
    })
  }

  async #open(method: 'GET' | 'POST', path: string, body?: object): Promise<IncomingMessage> {
    const address = await this.#options.address()
    return new Promise((resolve, reject) => {
      const sent = request(`http://${address}${path}`, {
        method,
        agent: false,
        headers: { authorization: `Bearer ${this.#options.token}` },
        signal: this.#ended.signal,
      })
      // Whoever waits for a moment ends the wait by a release.
      const timer = path.endsWith('/moment')
        ? undefined
        : setTimeout(() => sent.destroy(new Error(`no answer in ${answerTimeoutMs} ms`)), answerTimeoutMs)
      sent.once('response', (response) => {
        clearTimeout(timer)
        resolve(response)
      })
      sent.once('error', (error) => {
        clearTimeout(timer)
        reject(
          new GauntletError('ERR_CLUSTER', `its agent cannot be reached: ${error.message}`, {
            field: this.#options.pod,
            fix: 'deploy with the component k8s/components/agent, and see that it runs',
            cause: error,
          }),
        )
      })
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
