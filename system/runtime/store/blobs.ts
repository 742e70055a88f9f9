// Blobs and flows in memory, by the SHA-256 of their JSON; data that no running run has put is forgotten,
// longest unused first, when it is too much.

import { blobIdOf, type Flow, parseFlow } from '../../wire/flow.ts'
import type { Json } from '../../wire/json.ts'
import { type KeptText, Slabs } from './slabs.ts'

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
   * Stores a value for a run, which keeps it until `release`, or for none; the id of a flow is that of the
   * JSON as sent.
   * @throws ShapeError where `type` is flow and `data` is none
   * @throws FullError where running runs have put too much
   */
  put(data: Json, type: BlobType, runId: string | null): string
  putFlow(flow: Flow): void
  get(id: string): Blob | undefined
  delete(id: string): boolean
  /** The run has ended: what it has put may be forgotten. */
  release(runId: string): void
}

export interface BlobRetention {
  /** Bytes of data and flows. */
  readonly maxBytes: number
  /** Bytes of what running runs have put, which is never forgotten; default no limit. */
  readonly maxPinnedBytes?: number
}

/** Running runs have put as much as they may. */
export class FullError extends Error {
  constructor(bytes: number) {
    super(`running runs have put ${bytes} bytes of blobs, which is as much as they may`)
    this.name = 'FullError'
  }
}

/** A blob in the list from the longest unused to the last used. */
interface Entry {
  readonly id: string
  /** Of data: where its text is. */
  text: KeptText | null
  /** Of a flow. */
  flow: Flow | null
  bytes: number
  older: Entry | null
  newer: Entry | null
  /** Puts of runs that have not ended. */
  pins: number
}

export function createBlobStore({
  maxBytes,
  maxPinnedBytes = Number.POSITIVE_INFINITY,
}: BlobRetention): BlobStore {
  const entries = new Map<string, Entry>()
  const byRun = new Map<string, Entry[]>()
  let oldest: Entry | null = null
  let newest: Entry | null = null
  let bytes = 0
  let pinnedBytes = 0
  const slabs = new Slabs()

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
    bytes -= entry.bytes
    if (entry.text !== null) slabs.forget(entry.text)
  }
  const trim = (): void => {
    for (let entry = oldest; entry !== null && bytes > maxBytes && entry !== newest; entry = entry.newer) {
      if (entry.pins === 0) forget(entry)
    }
  }
  const store = (id: string, data: Json, flow: Flow | null): Entry => {
    const known = entries.get(id)
    if (known !== undefined && (known.flow === null) === (flow === null)) {
      use(known)
      return known
    }
    const text = flow === null ? slabs.keep(data) : null
    if (known !== undefined) {
      // The same text as the other type; runs that have put it hold on to this very entry.
      if (known.text !== null) slabs.forget(known.text)
      const more = (text?.length ?? data.length) - known.bytes
      known.text = text
      known.flow = flow
      known.bytes += more
      bytes += more
      if (known.pins > 0) pinnedBytes += more
      use(known)
      return known
    }
    const entry: Entry = {
      id,
      text,
      flow,
      bytes: text?.length ?? data.length,
      older: null,
      newer: null,
      pins: 0,
    }
    entries.set(id, entry)
    link(entry)
    bytes += entry.bytes
    return entry
  }

  return {
    put(data, type, runId) {
      const id = blobIdOf(data)
      if (runId !== null && pinnedBytes + data.length > maxPinnedBytes) {
        if ((entries.get(id)?.pins ?? 0) === 0) throw new FullError(pinnedBytes)
      }
      const entry = store(id, data, type === 'data' ? null : withId(parseFlow(data), id))
      if (runId !== null) {
        if (entry.pins++ === 0) pinnedBytes += entry.bytes
        const list = byRun.get(runId)
        if (list === undefined) byRun.set(runId, [entry])
        else list.push(entry)
      }
      trim()
      return id
    },
    putFlow(flow) {
      store(flow.id, flow.json, flow)
      trim()
    },
    get(id) {
      const entry = entries.get(id)
      if (entry === undefined) return undefined
      use(entry)
      const { flow, text } = entry
      if (flow !== null) return { type: 'flow', data: flow.json, flow }
      if (text === null) return undefined
      const data = slabs.read(text) as Json
      // What is in use moves on, so that it does not hold what is old around it.
      if (!slabs.isCurrent(text)) {
        slabs.forget(text)
        entry.text = slabs.keep(data)
      }
      return { type: 'data', data, flow: null }
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
      for (const entry of list) {
        if (--entry.pins === 0) pinnedBytes -= entry.bytes
      }
      byRun.delete(runId)
    },
  }
}

/** Kept under `id`, which is that of the JSON as it was sent. */
function withId(flow: Flow, id: string): Flow {
  return flow.id === id ? flow : { ...flow, id }
}
