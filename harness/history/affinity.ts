// Callbacks by sender and receiver, and how many crossed from one balancer to another.

import { operationsOf } from '../../chaos/checkers/operations.ts'
import type { History } from '../../contracts/history.ts'
import type { AffinityMatrix } from '../../contracts/results.ts'

/**
 * Counts callbacks by the pod that sent them (rows) and the pods that their replies reached (columns), by the pods'
 * own records. Both lists name the same pods in the same order.
 *
 * A callback crossed when the Via header of its reply names another balancer than that of its call, as the pod
 * received them: proof for each single callback, where routing counts of balancers could only bound the number.
 */
export function affinityMatrix(history: History): AffinityMatrix {
  const { callbacks, calls } = operationsOf(history)
  const places = new Map<string, number>()
  const counts: number[][] = []
  const placeOf = (pod: string): number => {
    let place = places.get(pod)
    if (place === undefined) {
      place = places.size
      places.set(pod, place)
      for (const row of counts) row.push(0)
      counts.push(new Array<number>(places.size).fill(0))
    }
    return place
  }
  let crossed = 0
  let compared = 0
  for (const { sent, resolved, foreign } of callbacks.values()) {
    const from = sent[0]
    if (from === undefined) continue
    const row = placeOf(from.pod)
    for (const { pod } of [...resolved, ...foreign]) counts[row]![placeOf(pod)]! += 1
    const callVia = calls.get(from.requestId)?.executes[0]?.via
    const replyVia = resolved[0]?.via
    if (callVia === undefined || replyVia === undefined) continue
    compared++
    if (callVia !== replyVia) crossed++
  }
  const pods = [...places.keys()]
  return { rows: pods, columns: pods, counts, crossed: compared === 0 ? null : crossed }
}
