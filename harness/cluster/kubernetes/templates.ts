// What the deployed workloads' pods are like; where the GPU pool is not deployed, what its overlay says.

import { join } from 'node:path'
import { GauntletError } from '../../../contracts/errors.ts'
import type { Kubectl } from '../../deploy/kubectl.ts'
import { parseObjects } from '../../deploy/render.ts'
import { type PodTemplate, placedWorkloads, type Workload } from './placement.ts'

interface WorkloadObject {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: { readonly template: PodTemplate }
}

/** @throws GauntletError ERR_CLUSTER where one of the three workloads is not there */
export async function readTemplates(
  kubectl: Kubectl,
  namespace: string,
): Promise<Readonly<Record<Workload, PodTemplate>>> {
  const list = await kubectl(['get', 'deployments,statefulsets', '-n', namespace, '-o', 'json'])
  const deployed = (JSON.parse(list) as { readonly items: readonly WorkloadObject[] }).items
  const overlay = join(import.meta.dirname, '../../../k8s/overlays/gpu')
  const hasPool = deployed.some(({ metadata }) => metadata.name === 'gpu-server')
  const rendered = hasPool ? [] : parseObjects(await kubectl(['kustomize', overlay]))
  const workloads = [
    ...deployed,
    ...rendered.filter(({ kind }) => kind === 'Deployment'),
  ] as readonly WorkloadObject[]
  const found = placedWorkloads.map((name): [Workload, PodTemplate] => {
    const workload = workloads.find(({ metadata }) => metadata.name === name)
    if (workload === undefined) {
      throw new GauntletError('ERR_CLUSTER', `there is no ${name}`, {
        field: namespace,
        fix: 'run npm run deploy first',
      })
    }
    return [name, workload.spec.template]
  })
  return Object.fromEntries(found) as Record<Workload, PodTemplate>
}

/** The image of the program: the template's first container. */
export function imageOf({ spec }: PodTemplate): string {
  return (spec['containers'] as readonly { readonly image: string }[])[0]?.image ?? ''
}
