// Every limit and deadline of the balancer, with its default.

/** Limits of client connections. */
export interface AcceptLimits {
  /** A head must be complete this long after its first byte, ms. */
  readonly headTimeoutMs: number
  /** A connection without a request is closed after this, ms. */
  readonly keepAliveMs: number
  /**
   * Idle connections are kept this long after a drain began, ms: a client that closes its own at 4 s never
   * sends on one that we are closing.
   */
  readonly drainIdleMs: number
  /** Connections of clients to one thread; more are closed at once. */
  readonly maxClients: number
  /**
   * Connections of both sides together in one thread: the process must keep descriptors for health checks,
   * the admin listener and for the pods of clients that are already in.
   */
  readonly maxConnections: number
}

/** Limits of requests and answers. */
export interface RelayLimits {
  readonly maxBodyBytes: number
  /** Pods tried for one request as long as none of its bytes was sent. */
  readonly maxAttempts: number
  /** Longest pause within a request's body, ms. */
  readonly bodyTimeoutMs: number
  /** A body that comes more slowly than this for longer than `bodyTimeoutMs` is cut off; 0: never. */
  readonly minBodyBytesPerSecond: number
  /** A client that reads nothing of its answer for this long, or a pod nothing of a body, is dropped, ms. */
  readonly stallTimeoutMs: number
  /** A comment goes into a stream that was silent for this long, ms; 0: never. */
  readonly heartbeatMs: number
  /** A stream whose pod is silent for this long is ended with an error, ms; 0: never. */
  readonly streamIdleMs: number
}

export interface LoopLimits extends AcceptLimits, RelayLimits {
  readonly connectTimeoutMs: number
}

/** Limits of discovery and health checks. */
export interface DirectoryLimits {
  readonly minResolveMs: number
  readonly probeIntervalMs: number
  readonly probeTimeoutMs: number
  readonly slowStartMs: number
  readonly maxEjectedPercent: number
}

export interface BalancerLimits extends LoopLimits, DirectoryLimits {}

/** Descriptors for everything that is no relayed connection. */
const ownDescriptors = 128

/**
 * Connections that a thread may have, by the process's limit of descriptors as /proc shows it; many where it
 * does not.
 */
export function connectionsAllowed(procLimits: string, threads: number): number {
  const soft = /^Max open files\s+(\d+)/m.exec(procLimits)?.[1]
  if (soft === undefined) return defaultLimits.maxConnections
  return Math.max(16, Math.floor((Number(soft) - ownDescriptors) / threads))
}

export const defaultLimits: BalancerLimits = {
  headTimeoutMs: 10_000,
  keepAliveMs: 75_000,
  drainIdleMs: 5_000,
  maxClients: 100_000,
  maxConnections: 1_000_000,
  maxBodyBytes: 64 * 1_048_576,
  // When many pods go at once, a request goes on to one that is still there.
  maxAttempts: 16,
  bodyTimeoutMs: 30_000,
  // The least rate of Apache's mod_reqtimeout: a byte now and then must not hold a request open for ever.
  minBodyBytesPerSecond: 500,
  stallTimeoutMs: 60_000,
  heartbeatMs: 0,
  streamIdleMs: 0,
  connectTimeoutMs: 2_000,
  minResolveMs: 1_000,
  probeIntervalMs: 1_000,
  probeTimeoutMs: 1_800,
  slowStartMs: 0,
  maxEjectedPercent: 70,
}
