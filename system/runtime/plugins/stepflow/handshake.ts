// initialize and initialized, tried again for a while: at start no pod may be ready yet.

import { setTimeout as sleep } from 'node:timers/promises'
import { GauntletError } from '../../../../contracts/errors.ts'
import type { Log } from '../../../program/log.ts'
import type { Json } from '../../../wire/json.ts'
import type { HttpClient } from '../../http/client.ts'
import { ExchangeError, exchange, notify } from './exchange.ts'

export interface HandshakeOptions {
  readonly plugin: string
  readonly url: string
  /** ms in which it must succeed. */
  readonly withinMs: number
  readonly log: Log
  readonly signal: AbortSignal
}

/** Milliseconds one exchange may take. */
const exchangeMs = 5_000
/** Milliseconds before the second try; doubled up to the most. */
const firstDelayMs = 100
const mostDelayMs = 2_000

/** @throws GauntletError ERR_PLUGIN where it did not succeed in time, or cannot */
export async function shakeHands(client: HttpClient, options: HandshakeOptions): Promise<void> {
  const { plugin, url, withinMs, log, signal } = options
  const giveUpAt = performance.now() + withinMs
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(mostDelayMs, delayMs * 2)) {
    signal.throwIfAborted()
    try {
      await exchange(client, 'initialize', '{"runtime_protocol_version":1}' as Json, exchangeMs)
      await notify(client, 'initialized', '{}' as Json, exchangeMs)
      return
    } catch (error) {
      if (!(error instanceof ExchangeError)) throw error
      if (!error.passing || performance.now() + delayMs > giveUpAt) {
        throw new GauntletError('ERR_PLUGIN', `error initializing plugin: ${error.message}`, {
          field: `plugins.${plugin}`,
          value: url,
          fix: error.passing
            ? `no component server answered within ${withinMs} ms: start one, or raise --plugin-start-timeout-ms`
            : 'see what the component server says',
          cause: error,
        })
      }
      log.warn({ plugin, url, error: error.message, delayMs }, 'component server not there yet')
      await sleep(delayMs, undefined, { signal })
    }
  }
}
