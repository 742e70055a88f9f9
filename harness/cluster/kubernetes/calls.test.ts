import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { type Call, calls, roleRules } from './calls.ts'
import { roleFile, roleManifest } from './role.ts'

test('one rule a resource, with every verb that is called and no other', async (t) => {
  const made: readonly Call[] = [
    { verb: 'list', group: '', resource: 'pods' },
    { verb: 'get', group: 'apps', resource: 'deployments', names: ['a'] },
    { verb: 'watch', group: '', resource: 'pods' },
  ]
  t.same(roleRules(made), [
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
    { apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a'], verbs: ['get'] },
  ])
})

test('the role in k8s is the one that the declared calls need', async (t) => {
  t.equal(readFileSync(roleFile, 'utf8'), roleManifest(), 'run node harness/cluster/kubernetes/role.ts')
})

test('no call asks for everything, for secrets at large, or for a shell in a pod', async (t) => {
  for (const [name, call] of Object.entries<Call>(calls)) {
    t.notMatch(JSON.stringify(call), /\*|pods\/exec|pods\/attach/, name)
    if (call.resource === 'secrets') t.ok((call.names?.length ?? 0) > 0, name)
  }
})

test('the driver calls the API server by the functions of api.ts alone', async (t) => {
  const source = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8')
  for (const file of ['start.ts', 'kubernetes-cluster.ts', 'agent-link.ts', 'pod-watch.ts']) {
    t.notMatch(source(file), /makeApiClient|CoreV1Api|AppsV1Api/, file)
  }
})
