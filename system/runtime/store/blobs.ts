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

/** A blob in the list from the longest unused to the last used. */
interface Entry {
  readonly id: string
  readonly blob: Blob
  older: Entry | null
  newer: Entry | null
  /** Puts of runs that have not ended. */
  pins: number
}

export function createBlobStore({ maxBytes }: BlobRetention): BlobStore {
  const entries = new Map<string, Entry>()
  const byRun = new Map<string, Entry[]>()
  let oldest: Entry | null = null
  let newest: Entry | null = null
  let bytes = 0

  const unlink = (entry: Entry): void => {
    if (entry.older === null) oldest = entry.newer
    else entry.older.newer = entry.newer
    if (entry.newer === null) newest = entry.older
    else entry.newer.older = entry.older
  }
  const link = (entry: Entry): void => {
    entry.older = newest
    entry.newer = null
    if (newest === null) oldest = entry
    else newest.newer = entry
    newest = entry
  }
  const use = (entry: Entry): void => {
    if (newest === entry) return
    unlink(entry)
    link(entry)
  }
  const forget = (entry: Entry): void => {
    unlink(entry)
    entries.delete(entry.id)
    bytes -= entry.blob.data.length
  }
  const trim = (): void => {
    for (let entry = oldest; entry !== null && bytes > maxBytes && entry !== newest; entry = entry.newer) {
      if (entry.pins === 0) forget(entry)
    }
  }
  const store = (id: string, blob: Blob): Entry => {
    const known = entries.get(id)
    if (known !== undefined && known.blob.type === blob.type) {
      use(known)
      return known
    }
    const pins = known?.pins ?? 0
    if (known !== undefined) forget(known)
    const entry: Entry = { id, blob, older: null, newer: null, pins }
    entries.set(id, entry)
    link(entry)
    bytes += blob.data.length
    return entry
  }

  return {
    put(data, type, runId) {
      const id = blobIdOf(data)
      const blob: Blob = type === 'data' ? { type, data, flow: null } : flowBlob(parseFlow(data), id)
      const entry = store(id, blob)
      entry.pins++
      const list = byRun.get(runId)
      if (list === undefined) byRun.set(runId, [entry])
      else list.push(entry)
      trim()
      return id
    },
    putFlow(flow) {
      store(flow.id, flowBlob(flow, flow.id))
      trim()
    },
    get(id) {
      const entry = entries.get(id)
      if (entry === undefined) return undefined
      use(entry)
      return entry.blob
    },
    delete(id) {
      const entry = entries.get(id)
      if (entry === undefined) return false
      forget(entry)
      return true
    },
    release(runId) {
      const list = byRun.get(runId)
      if (list === undefined) return
      for (const entry of list) entry.pins--
      byRun.delete(runId)
    },
  }
}

/** Kept under `id`, which is that of the JSON as it was sent. */
function flowBlob(flow: Flow, id: string): Blob {
  return { type: 'flow', data: flow.json, flow: flow.id === id ? flow : { ...flow, id } }
}
