// store_and_retrieve_blob: two callbacks on one stream, the shortest proof that replies find their pod.

import { Type } from '@sinclair/typebox'
import { component } from '../component.ts'
import { Raw } from '../raw-json.ts'

export const storeAndRetrieveBlob = component({
  name: 'store_and_retrieve_blob',
  description: 'Stores data as a blob in the runtime and reads it back',
  input: Type.Object({ data: Raw() }),
  output: Type.Object({ blob_id: Type.String(), retrieved_data: Raw() }),
  async run({ data }, context) {
    const blobId = await context.putBlob(data)
    return { blob_id: blobId, retrieved_data: await context.getRawBlob(blobId) }
  },
})
