// The judgements on what a cluster was asked about itself (contracts/asked.ts): from what was seen alone.

import type { Placement, TriedFlow, TriedFlows } from '../../contracts/asked.ts'
import type { CheckerResult, Outcome } from '../../contracts/results.ts'

const mostExamples = 20

/** `flows-allowed` and `flows-refused`; the latter is unknown where no policy is enforced. */
export function judgeFlows({ enforced, flows }: TriedFlows): readonly CheckerResult[] {
  const allowed = flows.filter((flow) => flow.allowed)
  const others = flows.filter((flow) => !flow.allowed)
  const closed = allowed.filter(({ reached }) => !reached)
  const open = others.filter(({ reached }) => reached)
  const refusedOutcome: Outcome = !enforced || others.length === 0 ? 'unknown' : outcomeOf(others, open)
  return [
    {
      kind: 'checker',
      name: 'flows-allowed',
      claim: 'Whoever the flow matrix allows to talk gets through',
      outcome: outcomeOf(allowed, closed),
      reason: `${closed.length} of ${allowed.length} allowed flows did not get through`,
      examined: allowed.length,
      ...examples(closed.map(textOf)),
    },
    {
      kind: 'checker',
      name: 'flows-refused',
      claim: 'Nobody else gets through',
      outcome: refusedOutcome,
      reason: enforced
        ? `${open.length} of ${others.length} flows that are not in the matrix got through`
        : 'this cluster enforces no NetworkPolicy: a pod was reached through a policy that denies everything',
      examined: enforced ? others.length : 0,
      ...examples(enforced ? open.map(textOf) : []),
    },
  ]
}

/** `placement` on the cluster's own nodes and on pretended ones, each where there was something to look at. */
export function judgePlacements(placements: readonly Placement[]): readonly CheckerResult[] {
  return ([true, false] as const).flatMap((pretended) => {
    const asked = placements.filter((one) => one.pretended === pretended)
    if (asked.length === 0) return []
    const wrong = asked.flatMap((one) => wrongWith(one) ?? [])
    return [
      {
        kind: 'checker',
        name: pretended ? 'placement-pretended' : 'placement',
        claim: pretended
          ? 'The scheduler puts each pod where it must go, or leaves it Pending for the stated reason, on several pretended nodes (a dry run: they have no machine)'
          : 'Each pod of the GPU pool is on a node with a GPU, or Pending for the stated reason',
        outcome: outcomeOf(asked, wrong),
        reason: `${wrong.length} of ${asked.length} pods are not where they must be`,
        examined: asked.length,
        ...examples(wrong),
      } satisfies CheckerResult,
    ]
  })
}

/** One line of the report's figures. */
export function placementText({ node, reason }: Placement): string {
  return node === null ? `Pending: ${reason}` : `on ${node}`
}

/** Null where it is as it must be. */
function wrongWith(placement: Placement): string | null {
  const { what, nodes, waits, node, reason } = placement
  if (waits === null && node !== null && nodes.includes(node)) return null
  if (waits !== null && node === null && reason.includes(waits)) return null
  const wanted = waits === null ? `on ${nodes.join(' or ')}` : `Pending: ${waits}`
  return `${what}: ${placementText(placement)}; it must be ${wanted}`
}

function outcomeOf(asked: readonly unknown[], wrong: readonly unknown[]): Outcome {
  return wrong.length > 0 ? 'fail' : asked.length === 0 ? 'unknown' : 'pass'
}

function textOf({ from, to, reached }: TriedFlow): string {
  return `${from} to ${to}: ${reached ? 'got through' : 'did not get through'}`
}

function examples(lines: readonly string[]): { readonly examples?: readonly string[] } {
  return lines.length === 0 ? {} : { examples: lines.slice(0, mostExamples) }
}
