// gpu_info: says which pod ran it and which GPUs that pod was given. Its name puts it into the pool for GPUs.

import { hostname } from 'node:os'
import { component, Type } from '../../system/component-server/sdk.ts'

export const gpuInfo = component({
  name: 'gpu_info',
  description: 'The pod that runs it, and the GPUs it sees',
  input: Type.Object({}),
  output: Type.Object({
    pod: Type.String(),
    devices: Type.Array(Type.String(), {
      description: "As NVIDIA's device plugin names them; empty without one",
    }),
  }),
  run: () => ({
    pod: process.env['POD_NAME'] ?? hostname(),
    devices: (process.env['NVIDIA_VISIBLE_DEVICES'] ?? '').split(',').filter((device) => device !== ''),
  }),
})
