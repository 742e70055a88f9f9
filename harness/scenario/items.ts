// One run of many items, read back item by item: whatever order they ended in, each result stands at its input's place.

import { setTimeout as delay } from 'node:timers/promises'
import type { CheckerResult } from '../../contracts/results.ts'
import { jsonEqual } from '../load/json-equal.ts'
import { registerFlow } from '../load/register.ts'

export interface ItemsOptions {
  /** Base URL of the runtime's Service. */
  readonly url: string
  readonly flow: unknown
  readonly inputs: readonly unknown[]
  /** The result of `inputs[i]`. */
  readonly expected: readonly unknown[]
  readonly signal: AbortSignal
}

/** Milliseconds for the whole run. */
const timeoutMs = 10_000

/** The judgement `items-in-order`; unknown where the run cannot be read. */
export async function checkItems(options: ItemsOptions): Promise<CheckerResult> {
  const base = {
    kind: 'checker',
    name: 'items-in-order',
    claim: "a run's items, read back, have each the result of its own input, whatever order they ended in",
  } as const
  try {
    const items = await runItems(options)
    const wrong = options.expected.flatMap((wanted, index) => {
      const got = items.find(({ itemIndex }) => itemIndex === index)?.result?.result
      return jsonEqual(got, wanted)
        ? []
        : [
            `item ${index}: got ${JSON.stringify(got)?.slice(0, 200)}, not ${JSON.stringify(wanted).slice(0, 200)}`,
          ]
    })
    return {
      ...base,
      outcome: wrong.length > 0 ? 'fail' : items.length === 0 ? 'unknown' : 'pass',
      reason: wrong.length > 0 ? `${wrong.length} of ${items.length} are wrong` : `${items.length} items`,
      examined: items.length,
      ...(wrong.length === 0 ? {} : { examples: wrong.slice(0, 20) }),
    }
  } catch (error) {
    return { ...base, outcome: 'unknown', reason: `the run could not be read: ${String(error)}`, examined: 0 }
  }
}

interface Item {
  readonly itemIndex: number
  readonly status: string
  readonly result?: { readonly result?: unknown }
}

async function runItems({ url, flow, inputs, signal }: ItemsOptions): Promise<readonly Item[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const flowId = await registerFlow(url, flow, limit)
  const created = await json(`${url}/api/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ flowId, input: inputs }),
    signal: limit,
  })
  for (;;) {
    const { items } = (await json(`${url}/api/v1/runs/${String(created['runId'])}/items`, {
      signal: limit,
    })) as unknown as { readonly items: readonly Item[] }
    if (items.every(({ status }) => status !== 'running')) return items
    await delay(50, undefined, { signal: limit })
  }
}

async function json(url: string, init: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(url, init)
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${(await response.text()).slice(0, 200)}`)
  return (await response.json()) as Record<string, unknown>
}
