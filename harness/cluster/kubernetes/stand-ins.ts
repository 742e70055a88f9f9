// Pods that stand in for others in namespaces of their own, which are gone afterwards, whatever happened.

import { randomBytes } from 'node:crypto'
import { GauntletError } from '../../../contracts/errors.ts'
import type { Kubectl } from '../../deploy/kubectl.ts'
import { toYaml } from '../../deploy/render.ts'
import { ownLabel } from './settings.ts'

/** A pod that Pod Security's restricted profile admits. */
export interface StandIn {
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly image: string
  /** Arguments of node. */
  readonly args: readonly string[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
}

const standInLabel = 'stepflow-gauntlet/stand-ins'

/** A name that no other trial has. */
export function ownName(prefix: string): string {
  return `${prefix}-${randomBytes(3).toString('hex')}`
}

/**
 * Makes namespaces and hands them to `use`; removes them when that is over.
 * @throws GauntletError ERR_ENVIRONMENT where the account may not: the harness's own role does not allow it
 */
export async function withNamespaces<T>(
  kubectl: Kubectl,
  names: readonly string[],
  use: () => Promise<T>,
): Promise<T> {
  const labels = {
    ...{ [ownLabel.name]: ownLabel.value, [standInLabel]: 'true' },
    'pod-security.kubernetes.io/enforce': 'restricted',
  }
  // Of a harness that was killed.
  await kubectl(['delete', 'namespace', '-l', standInLabel, '--wait=false', '--ignore-not-found'])
  try {
    await kubectl(
      ['create', '-f', '-'],
      toYaml(names.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }))),
    ).catch((cause: unknown) => {
      throw new GauntletError('ERR_ENVIRONMENT', `namespaces cannot be made: ${(cause as Error).message}`, {
        field: 'kubeconfig',
        fix: 'use an account that may make namespaces: this is not among the rights of the role of scenarios',
        cause,
      })
    })
    return await use()
  } finally {
    await kubectl(['delete', 'namespace', ...names, '--timeout=60s', '--ignore-not-found']).catch(() => {})
  }
}

export function podOf({ name, namespace, labels, image, args, ports = [] }: StandIn) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: 'RuntimeDefault' } },
      },
      containers: [
        {
          ...{ name: 'node', image, imagePullPolicy: 'IfNotPresent', args, ports },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  }
}
