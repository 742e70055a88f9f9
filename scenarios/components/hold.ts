// hold: keeps its stream open for a while between two callbacks, so that faults find streams to hit.

import { setTimeout as delay } from 'node:timers/promises'
import { component, Raw, Type } from '../../system/component-server/sdk.ts'

export const hold = component({
  name: 'hold',
  description: 'Stores data as a blob, waits, reads it back',
  input: Type.Object({
    data: Raw({ description: 'Any JSON' }),
    hold_ms: Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000, default: 0 })),
    callbacks: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        default: 2,
        description: 'How many in all: one put_blob before the wait, get_blob after it',
      }),
    ),
  }),
  output: Type.Object({ blob_id: Type.String(), retrieved_data: Raw(), held_ms: Type.Number() }),
  async run({ data, hold_ms = 0, callbacks = 2 }, context) {
    const blobId = await context.putBlob(data)
    const startedAt = performance.now()
    await delay(hold_ms, undefined, { signal: context.signal })
    const heldMs = performance.now() - startedAt
    let retrieved = data
    for (let made = 1; made < callbacks; made++) retrieved = await context.getRawBlob(blobId)
    return { blob_id: blobId, retrieved_data: retrieved, held_ms: heldMs }
  },
})
