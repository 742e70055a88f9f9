// Graceful end of a program: SIGTERM and SIGINT once drain, twice end at once; errors end it with a log line.

import { GauntletErrors } from '../../contracts/errors.ts'
import { exitCodes } from '../../contracts/exit-codes.ts'
import type { Log } from './log.ts'

/**
 * Calls `stop` at the first SIGTERM or SIGINT and exits 0 when it is done; a second signal, or `deadlineMs`
 * after the first, exits at once with 1.
 */
export function onShutdown(log: Log, deadlineMs: number, stop: (signal: string) => Promise<void>): void {
  let stopping = false
  const handle = (signal: string): void => {
    if (stopping) {
      log.warn({ signal }, 'second signal, exiting at once')
      process.exit(1)
    }
    stopping = true
    log.info({ signal, deadlineMs }, 'stopping')
    const deadline = setTimeout(() => {
      log.error({ deadlineMs }, 'shutdown deadline passed')
      process.exit(1)
    }, deadlineMs)
    deadline.unref()
    stop(signal).then(
      async () => {
        clearTimeout(deadline)
        log.info({}, 'stopped')
        await log.drain?.()
        process.exit(0)
      },
      async (error: unknown) => {
        log.error({ error: String(error) }, 'shutdown failed')
        await log.drain?.()
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', handle)
  process.on('SIGINT', handle)
}

/**
 * Runs a program's `main`: a GauntletError is printed as one line a problem (no stack) with exit code 2;
 * anything else with its stack and exit code 1.
 */
export function runMain(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    if (error instanceof Error && 'fix' in error) {
      const lines = error instanceof GauntletErrors ? error.problems.map((p) => p.message) : [error.message]
      for (const line of lines) process.stderr.write(`error: ${line}\n`)
      process.exit(exitCodes.usage)
    }
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    process.exit(1)
  })
}
