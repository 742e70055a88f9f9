// Blobs and flows in memory, by the SHA-256 of their JSON.

import { blobIdOf, type Flow, parseFlow } from '../../wire/flow.ts'
import type { Json } from '../../wire/json.ts'

export type BlobType = 'data' | 'flow'

export interface Blob {
  readonly type: BlobType
  /** Of a flow: its normal form. */
  readonly data: Json
  /** Set for flows. */
  readonly flow: Flow | null
}

export interface BlobStore {
  /**
   * Stores a value; the id of a flow is that of the JSON as sent.
   * @throws ShapeError where `type` is flow and `data` is none
   */
  put(data: Json, type: BlobType): string
  putFlow(flow: Flow): void
  get(id: string): Blob | undefined
  delete(id: string): boolean
}

export function createBlobStore(): BlobStore {
  const blobs = new Map<string, Blob>()
  return {
    put(data, type) {
      const id = blobIdOf(data)
      if (type === 'flow') {
        const flow = parseFlow(data)
        blobs.set(id, { type, data: flow.json, flow: { ...flow, id } })
      } else blobs.set(id, { type, data, flow: null })
      return id
    },
    putFlow: (flow) => void blobs.set(flow.id, { type: 'flow', data: flow.json, flow }),
    get: (id) => blobs.get(id),
    delete: (id) => blobs.delete(id),
  }
}
