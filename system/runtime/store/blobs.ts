// Blobs and flows in memory, by the SHA-256 of their JSON; data that no running run has put is forgotten,
// longest unused first, when it is too much.

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
   * Stores a value for a run, which keeps it until `release`; the id of a flow is that of the JSON as sent.
   * @throws ShapeError where `type` is flow and `data` is none
   */
  put(data: Json, type: BlobType, runId: string): string
  putFlow(flow: Flow): void
  get(id: string): Blob | undefined
  delete(id: string): boolean
  /** The run has ended: what it has put may be forgotten. */
  release(runId: string): void
}

export interface BlobRetention {
  /** Characters of data, and of flows. */
  readonly maxBytes: number
}

export function createBlobStore({ maxBytes }: BlobRetention): BlobStore {
  /** Longest unused first. */
  const blobs = new Map<string, Blob>()
  const byRun = new Map<string, string[]>()
  const pins = new Map<string, number>()
  let bytes = 0

  const forget = (id: string, blob: Blob): void => {
    blobs.delete(id)
    bytes -= blob.data.length
  }
  const store = (id: string, blob: Blob): void => {
    const known = blobs.get(id)
    if (known !== undefined) forget(id, known)
    blobs.set(id, blob)
    bytes += blob.data.length
    if (bytes <= maxBytes) return
    for (const [other, old] of blobs) {
      if (bytes <= maxBytes) return
      if (other !== id && !pins.has(other)) forget(other, old)
    }
  }

  return {
    put(data, type, runId) {
      const id = blobIdOf(data)
      const list = byRun.get(runId)
      if (list === undefined) byRun.set(runId, [id])
      else list.push(id)
      pins.set(id, (pins.get(id) ?? 0) + 1)
      if (type === 'flow') {
        const flow = parseFlow(data)
        store(id, { type, data: flow.json, flow: { ...flow, id } })
      } else store(id, { type, data, flow: null })
      return id
    },
    putFlow: (flow) => store(flow.id, { type: 'flow', data: flow.json, flow }),
    get(id) {
      const blob = blobs.get(id)
      if (blob !== undefined) {
        blobs.delete(id)
        blobs.set(id, blob)
      }
      return blob
    },
    delete(id) {
      const blob = blobs.get(id)
      if (blob === undefined) return false
      forget(id, blob)
      return true
    },
    release(runId) {
      for (const id of byRun.get(runId) ?? []) {
        const count = (pins.get(id) ?? 1) - 1
        if (count === 0) pins.delete(id)
        else pins.set(id, count)
      }
      byRun.delete(runId)
    },
  }
}
