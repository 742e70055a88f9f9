// Command-line arguments by Node's own parser, its complaints as errors of this project.

import { type ParseArgsConfig, parseArgs } from 'node:util'
import { GauntletError } from './errors.ts'

/**
 * What `parseArgs` of node:util reads, with the same configuration.
 * @throws GauntletError ERR_FLAG_UNKNOWN, ERR_FLAG_VALUE with the argument
 * @example readArgs({ options: { help: { type: 'boolean', short: 'h' } } }).values.help
 */
export function readArgs<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (!code.startsWith('ERR_PARSE_ARGS_')) throw error
    const [field = 'arguments'] = /(?<=')[^' ]+/.exec((error as Error).message) ?? []
    throw code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE'
      ? new GauntletError('ERR_FLAG_VALUE', 'has a value too few or too many', { field, fix: 'see --help' })
      : new GauntletError('ERR_FLAG_UNKNOWN', 'is not an option of this command', {
          field,
          fix: 'see --help',
        })
  }
}
