// put_blob: stores a value and returns its id.

import { Type } from '@sinclair/typebox'
import { anyValue } from '../../wire/flow-schema.ts'
import type { Json } from '../../wire/json.ts'
import { oneOf, ShapeError } from '../../wire/json-shape.ts'
import { FullError } from '../store/blobs.ts'
import { BuiltinError, defineBuiltin, succeed } from './builtin.ts'

export const putBlob = defineBuiltin({
  name: '/put_blob',
  description: 'Store JSON data as a blob and return its content-addressable ID',
  input: Type.Object(
    { data: anyValue, blob_type: oneOf(['flow', 'data'], { expecting: 'string or map' }) },
    { title: 'PutBlobInput' },
  ),
  output: Type.Object({ blob_id: Type.String() }, { title: 'PutBlobOutput' }),
  run(fields, call, { blobs }) {
    const type = fields.get('blob_type') === '"flow"' ? 'flow' : 'data'
    try {
      return succeed(`{"blob_id":"${blobs.put(fields.get('data') as Json, type, call.runId)}"}`)
    } catch (error) {
      if (error instanceof FullError) {
        throw new BuiltinError(['internal error', 'Internal state store error', error.message])
      }
      if (!(error instanceof ShapeError)) throw error
      throw new BuiltinError([
        'internal error',
        'Internal state store error',
        'Invalid flow data - could not deserialize',
      ])
    }
  },
})
