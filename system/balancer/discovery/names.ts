// UPSTREAM_SERVICE: the names and addresses behind which the pods are.

import { GauntletError } from '../../../contracts/errors.ts'
import { parseAddress } from '../../program/flags.ts'

export interface Name {
  readonly host: string
  readonly port: number
}

/**
 * Reads `host:port`, or several separated by commas; hosts are names or addresses.
 * @throws GauntletError ERR_FLAG_VALUE
 */
export function parseNames(text: string, flag = '--upstream-service'): readonly Name[] {
  return text.split(',').map((part) => {
    const name = parseAddress(part.trim())
    if (name === null || name.port === 0) {
      throw new GauntletError('ERR_FLAG_VALUE', `got ${text}`, {
        field: flag,
        value: text,
        fix: 'use host:port, several separated by commas',
      })
    }
    return name
  })
}
