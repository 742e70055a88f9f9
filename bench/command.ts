// The flags of a benchmark or table command that is one script: read, or the end of it with help or what is wrong.

import { GauntletError, GauntletErrors } from '../contracts/errors.ts'
import { exitCodes } from '../contracts/exit-codes.ts'
import { type Flags, type FlagValues, helpText, parseFlags } from '../system/program/flags.ts'

/** Values of `flags`; `--help` ends the process with 0, wrong usage with 2 and a line a problem. */
export function commandFlags<const T extends Flags>(usage: string, summary: string, flags: T): FlagValues<T> {
  try {
    const values = parseFlags(flags, process.argv.slice(2))
    if (values !== 'help') return values
    process.stdout.write(helpText(usage, summary, flags))
    process.exit(exitCodes.pass)
  } catch (error) {
    if (!(error instanceof GauntletError)) throw error
    const problems = error instanceof GauntletErrors ? error.problems : [error]
    for (const { message } of problems) process.stderr.write(`error: ${message}\n`)
    process.exit(exitCodes.usage)
  }
}
