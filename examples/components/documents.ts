// archive: an asynchronous component with context: it stores blobs, runs a flow, logs, and heeds its cancellation.

import { setTimeout as delay } from 'node:timers/promises'
import { component, Raw, Type } from '../../system/component-server/sdk.ts'

/** Run for each document: the runtime calls `shout`, perhaps on another pod. */
const headline = {
  name: 'headline',
  steps: [{ id: 'shout', component: '/examples/shout', input: { text: { $input: '$.text' } } }],
  output: { $step: 'shout', path: '$.result' },
}

export const archive = component({
  name: 'archive',
  description: 'Stores a document and gives its headline',
  input: Type.Object({
    text: Type.String(),
    facts: Raw(),
    wait_ms: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
  output: Type.Object({ blob_id: Type.String(), headline: Type.Unknown(), stored: Raw() }),
  async run({ text, facts, wait_ms = 0 }, context) {
    // The signal ends the wait when the caller goes away or the run is cancelled.
    await delay(wait_ms, undefined, { signal: context.signal })
    const [blobId, loud] = await Promise.all([
      // Raw: numbers and key order stay as they came.
      context.putBlob(facts),
      context.evaluateFlow(headline, { text }),
    ])
    context.log.info({ blobId, runId: context.observability.runId }, 'archived')
    return { blob_id: blobId, headline: loud, stored: await context.getRawBlob(blobId) }
  },
})
