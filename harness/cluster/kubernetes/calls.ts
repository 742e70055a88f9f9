// Every kind of call that the driver makes of the API server. Its role is generated from this table, and nothing else
// of the client is used: api.ts has one function for each.

export interface Call {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete'
  /** API group; empty: the core. */
  readonly group: string
  /** With its subresource, e.g. `pods/log`. */
  readonly resource: string
  /** Only these objects. */
  readonly names?: readonly string[]
}

/** The Secret with the agents' token. */
export const tokenSecret = 'stepflow-agent'

const workloads = ['stepflow-server', 'pingora-lb', 'component-server']

export const calls = {
  readNamespace: { verb: 'get', group: '', resource: 'namespaces' },
  listPods: { verb: 'list', group: '', resource: 'pods' },
  watchPods: { verb: 'watch', group: '', resource: 'pods' },
  deletePod: { verb: 'delete', group: '', resource: 'pods' },
  evictPod: { verb: 'create', group: '', resource: 'pods/eviction' },
  readLog: { verb: 'get', group: '', resource: 'pods/log' },
  forwardPort: { verb: 'get', group: '', resource: 'pods/portforward' },
  forwardPortByPost: { verb: 'create', group: '', resource: 'pods/portforward' },
  listEvents: { verb: 'list', group: '', resource: 'events' },
  readService: { verb: 'get', group: '', resource: 'services', names: workloads },
  readToken: { verb: 'get', group: '', resource: 'secrets', names: [tokenSecret] },
  listEndpoints: { verb: 'list', group: 'discovery.k8s.io', resource: 'endpointslices' },
  readDeployment: { verb: 'get', group: 'apps', resource: 'deployments', names: workloads },
  restartDeployment: { verb: 'patch', group: 'apps', resource: 'deployments', names: workloads },
  scaleDeployment: { verb: 'patch', group: 'apps', resource: 'deployments/scale', names: workloads },
  readStatefulSet: { verb: 'get', group: 'apps', resource: 'statefulsets', names: workloads },
  restartStatefulSet: { verb: 'patch', group: 'apps', resource: 'statefulsets', names: workloads },
  scaleStatefulSet: { verb: 'patch', group: 'apps', resource: 'statefulsets/scale', names: workloads },
  listAutoscalers: { verb: 'list', group: 'autoscaling', resource: 'horizontalpodautoscalers' },
  createAutoscaler: { verb: 'create', group: 'autoscaling', resource: 'horizontalpodautoscalers' },
  deleteAutoscaler: { verb: 'delete', group: 'autoscaling', resource: 'horizontalpodautoscalers' },
} as const satisfies Readonly<Record<string, Call>>

/** A rule of a Role. */
export interface RoleRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

/** The least that lets the calls be made: one rule for each resource. */
export function roleRules(made: readonly Call[] = Object.values(calls)): readonly RoleRule[] {
  const rules = new Map<string, Call[]>()
  for (const call of made) {
    const key = JSON.stringify([call.group, call.resource, call.names ?? []])
    rules.set(key, [...(rules.get(key) ?? []), call])
  }
  return [...rules.values()].map((same) => {
    const [first] = same
    return {
      apiGroups: [first?.group ?? ''],
      resources: [first?.resource ?? ''],
      ...(first?.names === undefined ? {} : { resourceNames: first.names }),
      verbs: same.map(({ verb }) => verb),
    }
  })
}
