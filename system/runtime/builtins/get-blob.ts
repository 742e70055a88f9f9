// get_blob: the value stored under an id.

import { type Json, kindOf, unquote } from '../../wire/json.ts'
import { BadInput, type Builtin, need, readFields } from './builtin.ts'

export const getBlob: Builtin = {
  info: {
    component: '/get_blob',
    description: 'Retrieve JSON data from a blob using its ID.',
  },
  run(call, { blobs }) {
    const json = need(readFields(call.input, 'GetBlobInput'), 'blob_id')
    if (kindOf(json) !== 'string') throw new BadInput(`invalid type: ${kindOf(json)}, expected a string`)
    const id = unquote(json)
    const problem = badBlobId(id)
    const blob = problem === null ? blobs.get(id) : undefined
    if (blob !== undefined) return { kind: 'success', value: `{"data":${blob.data}}` as Json }
    return {
      kind: 'broken',
      causes:
        problem === null
          ? [
              { error: 'error executing user-defined function' },
              { error: 'internal error' },
              { error: `Blob not found: ${id}` },
            ]
          : [
              {
                error: 'error executing user-defined function',
                attachments: [`Invalid blob ID: ${problem}`],
              },
              { error: 'invalid input' },
            ],
      details: { reason: problem === null ? 'not-found' : 'bad-input' },
    }
  },
}

/** Null where `id` looks like the id of a blob; else why not, in Stepflow's words. */
export function badBlobId(id: string): string | null {
  if (id.length !== 64) return `Invalid blob ID length: expected 64, got ${id.length}`
  return /^[0-9a-f]{64}$/.test(id) ? null : `Invalid blob ID format: ${id}`
}
