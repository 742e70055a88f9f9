// The local cluster: processes of this machine, faithful to Kubernetes where it matters.
//
//   index.ts ─ local-cluster.ts ─ agent-link.ts ──IPC──> agent.ts (its own process; its head has the rest)

export { startLocalCluster } from './local-cluster.ts'
export type { LocalSettings } from './settings.ts'
