// The Stepflow-Instance-Id: what a header can carry and balancers route by.

import { GauntletError } from '../../contracts/errors.ts'

/**
 * @returns `id` as it is
 * @throws GauntletError ERR_FLAG_VALUE where a header cannot carry it unchanged
 */
export function checkInstanceId(id: string): string {
  if (/^[\x21-\x7e]{1,256}$/.test(id)) return id
  throw new GauntletError('ERR_FLAG_VALUE', `got ${JSON.stringify(id.slice(0, 60))}`, {
    field: '--instance-id',
    value: id,
    fix: 'use 1 to 256 visible ASCII characters without spaces',
  })
}
