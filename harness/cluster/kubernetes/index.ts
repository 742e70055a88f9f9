// The cluster of Kubernetes, as startCluster takes it.
//
//   start.ts      connects and checks: settings, connect; what may be called: calls, api
//   pod-watch.ts  follows the pods: pod-of
//   agent-link.ts a pod's history and signals: history-clock; the agent itself is in agent/
//   reach.ts      straight to pods, or through the API server

export { startKubernetesCluster } from './start.ts'
