// get_blob: the value stored under an id.

import { Type } from '@sinclair/typebox'
import { anyValue } from '../../wire/flow-schema.ts'
import { type Json, unquote } from '../../wire/json.ts'
import { BuiltinError, defineBuiltin, succeed } from './builtin.ts'

export const getBlob = defineBuiltin({
  name: '/get_blob',
  description: 'Retrieve JSON data from a blob using its ID',
  input: Type.Object({ blob_id: Type.String() }, { title: 'GetBlobInput' }),
  output: Type.Object({ data: anyValue }, { title: 'GetBlobOutput' }),
  run(fields, _call, { blobs }) {
    const id = unquote(fields.get('blob_id') as Json)
    const problem = blobIdProblem(id)
    if (problem !== null) throw new BuiltinError(['invalid input'], `Invalid blob ID: ${problem}`)
    const blob = blobs.get(id)
    if (blob === undefined) throw new BuiltinError(['internal error', `Blob not found: ${id}`])
    return succeed(`{"data":${blob.data}}`)
  },
})

/** Null where `id` looks like the id of a blob; else why not, in Stepflow's words. */
function blobIdProblem(id: string): string | null {
  const bytes = Buffer.byteLength(id)
  if (bytes !== 64) return `Invalid blob ID length: expected 64, got ${bytes}`
  return /^[0-9a-fA-F]{64}$/.test(id) ? null : 'Invalid characters in blob ID'
}
