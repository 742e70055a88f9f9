// The local cluster: processes of this machine, faithful to Kubernetes where it matters.
//
//   start.ts ─> local-cluster.ts ─> agent-link.ts ──IPC──> agent.ts (its own process; its head has the rest)

export type { LocalSettings } from './settings.ts'
export { startLocalCluster } from './start.ts'
