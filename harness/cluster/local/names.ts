// Names as Kubernetes gives them: Deployments, ReplicaSets, pods, Services.

import { appNames, type Role } from '../../../contracts/cluster.ts'

export const namespace = 'stepflow-demo'
export const clusterDomain = 'cluster.local'
/** Behind a role's name: the headless Service that has its pods also before they are ready and while they terminate. */
export const allSuffix = '-all'

/** Kubernetes' alphabet for generated names: no vowels and nothing that reads like another, so no words. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** `length` characters of Kubernetes' alphabet; `random` gives numbers in [0, 1). */
export function randomName(length: number, random: () => number): string {
  let text = ''
  while (text.length < length) text += alphabet[Math.floor(random() * alphabet.length)]
  return text
}

/** Hash of a pod template: pods of one rollout share it. */
export function revisionName(random: () => number): string {
  return randomName(10, random)
}

/** e.g. `component-server-7d9f8b6c5d-x2x8q`. */
export function podName(role: Role, revision: string, random: () => number): string {
  return `${appNames[role]}-${revision}-${randomName(5, random)}`
}

/** e.g. `component-server.stepflow-demo.svc.cluster.local`. */
export function serviceName(role: Role, suffix: '' | typeof allSuffix = ''): string {
  return `${appNames[role]}${suffix}.${namespace}.svc.${clusterDomain}`
}
