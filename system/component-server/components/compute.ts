// compute_intensive_task and fibonacci: work that keeps the processor busy, and with it the whole process.

import { Type } from '@sinclair/typebox'
import { component } from '../component.ts'

/** About a second of one core: enough for any load test, and a bound on what one call can take. */
const maxIterations = 50_000_000

export const computeIntensiveTask = component({
  name: 'compute_intensive_task',
  description: 'Turns a number over many times: each iteration takes the square root of its square plus one',
  input: Type.Object({
    value: Type.Number(),
    iterations: Type.Optional(Type.Integer({ minimum: 0, maximum: maxIterations, default: 1000 })),
  }),
  output: Type.Object({ result: Type.Number(), processing_time_ms: Type.Number() }),
  run({ value, iterations = 1000 }) {
    const startedAt = performance.now()
    // IEEE 754 rounds products, sums and roots the same everywhere, so the result is the same everywhere.
    let result = value
    for (let iteration = 0; iteration < iterations; iteration++) result = Math.sqrt(result * result + 1)
    return { result, processing_time_ms: performance.now() - startedAt }
  },
})

export const fibonacci = component({
  name: 'fibonacci',
  description: 'The nth Fibonacci number, recursively: 30 blocks the process for some 10 ms',
  input: Type.Object({ n: Type.Integer({ minimum: 0, maximum: 30 }) }),
  output: Type.Object({ result: Type.Integer() }),
  run: ({ n }) => ({ result: fibonacciOf(n) }),
})

function fibonacciOf(n: number): number {
  return n < 2 ? n : fibonacciOf(n - 1) + fibonacciOf(n - 2)
}
