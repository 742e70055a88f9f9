// Fault pod-stopped: the pod is asked to end (SIGTERM), and killed when its grace period is over.

import { Type } from '@sinclair/typebox'
import { ending } from './ending.ts'

export const podStopped = ending({
  name: 'pod-stopped',
  what: 'The pod is asked to end (SIGTERM) and killed when its grace period is over; another replaces it',
  settings: Type.Object(
    {
      graceSeconds: Type.Number({
        minimum: 1,
        maximum: 3_600,
        default: 30,
        description: 'From SIGTERM to SIGKILL; with fewer than 30, runs on it may be lost',
      }),
    },
    { additionalProperties: false },
  ),
  end: ({ cluster }, pod, { graceSeconds }) =>
    cluster.deletePod(pod.name, { gracePeriodSeconds: graceSeconds }),
  kills: ({ graceSeconds }) => graceSeconds < 30,
  waits: false,
})
