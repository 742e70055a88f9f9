// A Job that runs a scenario inside the cluster, so that its load meets no tunnel on its way.

import type { KubernetesObject } from './render.ts'

export interface JobOptions {
  readonly name: string
  readonly namespace: string
  /** The image with the harness in it. */
  readonly image: string
  /** A scenario's file within the project, and its options. */
  readonly args: readonly string[]
}

/** The restricted profile of Pod Security, and the account whose role is the driver's. */
export function harnessJob({ name, namespace, image, args }: JobOptions): KubernetesObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace, labels: { app: 'stepflow-harness' } },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: 3_600,
      template: {
        metadata: { labels: { app: 'stepflow-harness' } },
        spec: {
          restartPolicy: 'Never',
          serviceAccountName: 'stepflow-harness',
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 10_001,
            runAsGroup: 10_001,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'harness',
              image,
              imagePullPolicy: 'IfNotPresent',
              args: [...args, '--cluster', 'kubernetes', '--json', '--out', '/tmp/reports'],
              env: [{ name: 'KUBE_NAMESPACE', value: namespace }],
              resources: {
                requests: { cpu: '200m', memory: '512Mi' },
                limits: { memory: '1Gi' },
              },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
            },
          ],
          volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '1Gi' } }],
        },
      },
    },
  }
}

/** The results among the lines that the Job wrote: progress goes to the same log. */
export function resultsLine(log: string): string | null {
  return log.split('\n').findLast((line) => line.startsWith('{"schemaVersion":')) ?? null
}
