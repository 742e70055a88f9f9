// Checker goodput-returns: once the fault is gone, arrivals are served as before it. A system that stays slow or
// failing under the load that it carried before has collapsed (a metastable failure).

import type { History } from '../../contracts/history.ts'
import { type Checker, Findings, wasGivenUp } from './checker.ts'
import { type Offer, operationsOf } from './operations.ts'

/** Share of the control's good arrivals that the recovery must reach. */
const leastShare = 0.95
/** An answer is good within this, µs, or within twice the median that its workload had before the fault, whichever is longer. */
const goodWithinUs = 1_000_000
const slowerThanControl = 2
/** With fewer arrivals in either stretch one of them decides alone. */
const leastArrivals = 20

export const goodputReturns: Checker = {
  name: 'goodput-returns',
  claim: `after the fault is gone and under the same load, at least ${leastShare * 100} % as many arrivals as before it are answered rightly and in time`,
  check(history, context) {
    const findings = new Findings()
    const stretch = stretches(history)
    if (stretch === null) {
      findings.cannotTell('the history has no window `control` followed by one `recovery`')
      return findings
    }
    const from = Math.max(stretch.recovery.from, context.healedAt)
    const offers = [...operationsOf(history).offers.values()].filter(
      ({ offered, answers: [answer] }) =>
        answer === undefined || !wasGivenUp(answer, offered?.planned, context),
    )
    const before = offers.filter((offer) => isIn(offer, stretch.control.from, stretch.control.until))
    const after = offers.filter((offer) => isIn(offer, from, stretch.recovery.until))
    findings.examined = after.length
    const limits = limitsUs(before)
    const isGood = (offer: Offer): boolean => {
      const limit = limits.get(offer.offered?.workload ?? '') ?? goodWithinUs
      return (timeOf(offer) ?? Number.POSITIVE_INFINITY) <= limit
    }
    const share = (list: readonly Offer[]): number => list.filter(isGood).length / list.length
    if (before.length < leastArrivals || after.length < leastArrivals) {
      findings.cannotTell(
        `${before.length} arrivals before the fault and ${after.length} after it are too few`,
      )
      return findings
    }
    const [control, recovery] = [share(before), share(after)]
    findings.summary =
      `good within ${[...limits.values()].map((us) => (us / 1000).toFixed(0)).join(' or ')} ms:` +
      ` ${percent(control)} of ${before.length} before the fault,` +
      ` ${percent(recovery)} of ${after.length} after it`
    if (recovery < leastShare * control) {
      const text = `${percent(recovery)} good after the fault, ${percent(control)} before it`
      const taken = context.othersShare(from, stretch.recovery.until)
      if (taken !== null && taken > mostTaken) {
        findings.cannotTell(`${text}; but others took ${percent(taken)} of the machine meanwhile`)
      } else findings.violation(text)
    } else if (control === 0) findings.cannotTell('nothing was good before the fault either')
    return findings
  },
}

/** What is in time for each workload, by its median before the fault. */
function limitsUs(before: readonly Offer[]): ReadonlyMap<string, number> {
  const times = new Map<string, number[]>()
  for (const offer of before) {
    const time = timeOf(offer)
    if (offer.offered === undefined || time === null) continue
    const list = times.get(offer.offered.workload)
    if (list === undefined) times.set(offer.offered.workload, [time])
    else list.push(time)
  }
  return new Map(
    [...times].map(([workload, list]) => {
      const median = list.sort((a, b) => a - b)[list.length >> 1] ?? 0
      return [workload, Math.max(goodWithinUs, slowerThanControl * median)]
    }),
  )
}

/** Above this share of the machine taken by others, slowness is no proof. */
const mostTaken = 0.2

function stretches(history: History) {
  const windows = history.filter((record) => record.kind === 'window')
  const endOf = (name: string) => {
    const index = windows.findLastIndex(({ window }) => window === name)
    const window = windows[index]
    if (window === undefined) return null
    return { from: window.at, until: windows[index + 1]?.at ?? Number.POSITIVE_INFINITY }
  }
  const control = endOf('control')
  const recovery = endOf('recovery')
  return control === null || recovery === null || recovery.from < control.from ? null : { control, recovery }
}

function isIn({ offered }: Offer, from: number, until: number): boolean {
  return offered !== undefined && offered.at >= from && offered.at < until
}

/** From the planned start to the right answer, µs; null of any other end. */
function timeOf({ offered, answers: [answer] }: Offer): number | null {
  if (offered === undefined || answer?.outcome !== 'completed' || answer.correct === false) return null
  return answer.at - offered.planned
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
