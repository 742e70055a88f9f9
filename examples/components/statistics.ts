// mean: schemas by zod, whose defaults are in force.

import { z } from 'zod'
import { component } from '../../system/component-server/sdk.ts'

export const mean = component({
  name: 'mean',
  description: 'The mean of numbers',
  input: z.object({ values: z.array(z.number()).min(1), digits: z.int().min(0).max(12).default(2) }),
  output: z.object({ mean: z.number() }),
  run: ({ values, digits }) => ({
    mean: Number((values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(digits)),
  }),
})
