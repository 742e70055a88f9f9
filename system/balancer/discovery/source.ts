// Where pods are found: what discovery needs of DNS and of the Kubernetes API alike.

export interface Found {
  readonly host: string
  readonly port: number
  /** It ends, or is not ready: it takes no new work, but callbacks reach it. */
  readonly terminating: boolean
}

/** One place to find pods of one pool in. */
export interface PodSource {
  /** Calls `update` with the whole set whenever it is known anew; never with a failure or an empty answer. */
  start(update: (found: readonly Found[]) => void): void
  /** Looks now; resolves when `update` has been called, or looking failed. */
  refresh(): Promise<void>
  close(): void
}

/** Counts of a source's work, for the metrics. */
export interface SourceCounts {
  discoveries: number
  discoveryFailures: number
}
