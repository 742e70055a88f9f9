// The driver's least role, as a manifest: `node harness/cluster/kubernetes/role.ts` writes k8s/components/harness/role.yaml.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { roleRules } from './calls.ts'

export const roleFile = join(import.meta.dirname, '../../../k8s/components/harness/role.yaml')

/** A Role of the namespace: the driver needs nothing of the rest of the cluster. */
export function roleManifest(): string {
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'stepflow-harness' },
    rules: roleRules(),
  }
  return `# Written by harness/cluster/kubernetes/role.ts from the calls that the driver makes; not to be edited.\n${stringify(role, { aliasDuplicateObjects: false })}`
}

if (import.meta.main) writeFileSync(roleFile, roleManifest())
