// What a cluster is asked about itself, apart from its load: who can talk to whom, and which node a pod lands on.

/** One way from a party to a port of another, tried by a connection. */
export interface TriedFlow {
  /** e.g. `runtime`. */
  readonly from: string
  /** e.g. `balancer:8080`. */
  readonly to: string
  /** Whether the flow matrix (docs/network.md) allows it. */
  readonly allowed: boolean
  readonly reached: boolean
}

export interface TriedFlows {
  /** Whether the cluster enforces policies at all, found out apart from those that are judged. */
  readonly enforced: boolean
  readonly flows: readonly TriedFlow[]
}

/** Where one pod must go, and where the scheduler put it. */
export interface Placement {
  /** e.g. `gpu-server, with one GPU node`. */
  readonly what: string
  /** Whether the nodes were pretended: objects without a machine, which the real scheduler chose among. */
  readonly pretended: boolean
  /** Nodes that it may land on; empty: it must stay Pending. */
  readonly nodes: readonly string[]
  /** Why it must stay Pending, as the scheduler says it; null where it must land. */
  readonly waits: string | null
  /** The node it is on; null: Pending. */
  readonly node: string | null
  /** What the scheduler says of a pod that is Pending; empty for others. */
  readonly reason: string
}
