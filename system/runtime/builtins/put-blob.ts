// put_blob: stores a value and returns its id.

import { ShapeError } from '../../wire/flow-expression.ts'
import type { Json } from '../../wire/json.ts'
import { BadInput, type Builtin, need, readFields } from './builtin.ts'

export const putBlob: Builtin = {
  info: {
    component: '/put_blob',
    description: 'Store JSON data as a blob with content-based ID.',
  },
  run(call, { blobs }) {
    const fields = readFields(call.input, 'PutBlobInput')
    const data = need(fields, 'data')
    const type = need(fields, 'blob_type')
    if (type !== '"data"' && type !== '"flow"') {
      throw new BadInput(`unknown variant \`${type.replaceAll('"', '')}\`, expected \`flow\` or \`data\``)
    }
    try {
      const id = blobs.put(data, type === '"flow"' ? 'flow' : 'data')
      return { kind: 'success', value: `{"blob_id":"${id}"}` as Json }
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error
      return {
        kind: 'broken',
        causes: [
          { error: 'error executing user-defined function' },
          { error: 'internal error' },
          { error: 'Internal state store error' },
          { error: 'Invalid flow data - could not deserialize' },
          { error: error.message },
        ],
        details: { reason: 'bad-flow' },
      }
    }
  },
}
