// Whether calls of the components named gpu_* are answered by the GPU pool, and others are not harmed by its rule.

import type { CheckerResult } from '../../contracts/results.ts'
import { registerFlow } from '../load/register.ts'

export interface PoolCallsOptions {
  /** Base URL of the runtime's Service. */
  readonly url: string
  /** Names of the pool's pods. */
  readonly pods: readonly string[]
  readonly signal: AbortSignal
}

const calls = 20
const timeoutMs = 30_000

/** The judgement `pool-calls`; unknown where the runtime does not answer. */
export async function checkPoolCalls({ url, pods, signal }: PoolCallsOptions): Promise<CheckerResult> {
  const base = {
    kind: 'checker',
    name: 'pool-calls',
    claim: 'Calls of components named gpu_* are answered by the GPU pool, and others as ever',
  } as const
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    const call = await caller(url, limit)
    const answers: unknown[] = []
    for (let index = 0; index < calls; index++) answers.push(await call('/python/gpu_info', {}))
    const double = await call('/python/double', { value: 21 })
    const wrong = [
      ...answers
        .filter((answer) => !pods.includes(podOf(answer) ?? ''))
        .map((answer) => `gpu_info: ${text(answer)}`),
      ...(text(double).includes('"result":42') ? [] : [`double of 21: ${text(double)}`]),
    ]
    return {
      ...base,
      outcome: wrong.length > 0 ? 'fail' : 'pass',
      reason: `${wrong.length} of ${calls + 1} calls were not answered by whom they must`,
      examined: calls + 1,
      ...(wrong.length === 0 ? {} : { examples: wrong.slice(0, 20) }),
    }
  } catch (error) {
    return {
      ...base,
      outcome: 'unknown',
      reason: `the runtime does not answer: ${String(error)}`,
      examined: 0,
    }
  }
}

type Call = (component: string, input: unknown) => Promise<unknown>

async function caller(url: string, signal: AbortSignal): Promise<Call> {
  const flows = new Map<string, string>()
  return async (component, input) => {
    const flow = {
      steps: [{ id: 'call', component, input: { $from: { workflow: 'input' } } }],
      output: { $from: { step: 'call' } },
    }
    const flowId = flows.get(component) ?? (await registerFlow(url, flow, signal))
    flows.set(component, flowId)
    const response = await fetch(`${url}/api/v1/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ flowId, input }),
      signal,
    })
    return ((await response.json()) as { readonly result?: unknown }).result
  }
}

/** The pod that says so in its answer, wherever in it. */
function podOf(answer: unknown): string | null {
  return /"pod":"([^"]+)"/.exec(text(answer))?.[1] ?? null
}

function text(answer: unknown): string {
  return JSON.stringify(answer) ?? 'no result'
}
