// The planted defects by name: one file and one line each.

import { pathToFileURL } from 'node:url'
import type { Role } from '../../contracts/history.ts'
import { defect as balancerChecksInTurn } from './balancer-checks-in-turn.ts'
import { defect as balancerClaimsHealth } from './balancer-claims-health.ts'
import { defect as balancerCollapsesIdenticalIds } from './balancer-collapses-identical-ids.ts'
import { defect as balancerCutsSilentStreams } from './balancer-cuts-silent-streams.ts'
import { defect as balancerFallsBack } from './balancer-falls-back.ts'
import { defect as balancerFeedsLeavingPods } from './balancer-feeds-leaving-pods.ts'
import { defect as balancerHoldsStreams } from './balancer-holds-streams.ts'
import { defect as balancerIgnoresInstanceId } from './balancer-ignores-instance-id.ts'
import { defect as balancerIgnoresNewPods } from './balancer-ignores-new-pods.ts'
import { defect as balancerIgnoresRefusals } from './balancer-ignores-refusals.ts'
import { defect as balancerKeepsCountOfBroken } from './balancer-keeps-count-of-broken.ts'
import { defect as balancerKeepsStaleIds } from './balancer-keeps-stale-ids.ts'
import { defect as balancerOnePod } from './balancer-one-pod.ts'
import { defect as balancerRefreshZeroesCounts } from './balancer-refresh-zeroes-counts.ts'
import { defect as balancerReplaysPosts } from './balancer-replays-posts.ts'
import { defect as balancerTiesToFirstPod } from './balancer-ties-to-first-pod.ts'
import { defect as balancerTrustsDeadPod } from './balancer-trusts-dead-pod.ts'
import { defect as balancerUncountsFailedConnects } from './balancer-uncounts-failed-connects.ts'
import { defect as componentServerDrainsWithoutStreams } from './component-server-drains-without-streams.ts'
import { defect as componentServerDropsCallback } from './component-server-drops-callback.ts'
import { defect as componentServerEndsStreamEarly } from './component-server-ends-stream-early.ts'
import { defect as componentServerExecutesTwice } from './component-server-executes-twice.ts'
import { defect as componentServerFailsHealthily } from './component-server-fails-healthily.ts'
import { defect as componentServerForgetsBegunStreams } from './component-server-forgets-begun-streams.ts'
import { defect as componentServerForgetsRecords } from './component-server-forgets-records.ts'
import { defect as componentServerKeepsMessages } from './component-server-keeps-messages.ts'
import { defect as componentServerMiscountsStreams } from './component-server-miscounts-streams.ts'
import { defect as componentServerNeverEndsStream } from './component-server-never-ends-stream.ts'
import { defect as componentServerReadyWhileStopping } from './component-server-ready-while-stopping.ts'
import { defect as componentServerSharesInstanceId } from './component-server-shares-instance-id.ts'
import { defect as componentServerStopsAtOnce } from './component-server-stops-at-once.ts'
import { defect as componentServerSwapsBlobs } from './component-server-swaps-blobs.ts'
import { defect as componentServerWrongValue } from './component-server-wrong-value.ts'
import type { Defect } from './defect.ts'
import { defect as harnessCapsLatency } from './harness-caps-latency.ts'
import { defect as harnessCheckerAsleep } from './harness-checker-asleep.ts'
import { defect as harnessCountsFailedAsCompleted } from './harness-counts-failed-as-completed.ts'
import { defect as harnessExitsWell } from './harness-exits-well.ts'
import { defect as harnessForgivesViolations } from './harness-forgives-violations.ts'
import { defect as harnessKillMisses } from './harness-kill-misses.ts'
import { defect as harnessLiesAboutLag } from './harness-lies-about-lag.ts'
import { defect as harnessLosesRecords } from './harness-loses-records.ts'
import { defect as harnessPlansWhenItSends } from './harness-plans-when-it-sends.ts'
import { defect as harnessReportHidesFailures } from './harness-report-hides-failures.ts'
import { defect as harnessSameLuck } from './harness-same-luck.ts'
import { defect as harnessTakesAnyValue } from './harness-takes-any-value.ts'
import { defect as harnessThresholdUpsideDown } from './harness-threshold-upside-down.ts'
import { defect as harnessVerdictForgives } from './harness-verdict-forgives.ts'
import { defect as harnessWaitsForEver } from './harness-waits-for-ever.ts'
import { defect as runtimeAnswersCallbackTwice } from './runtime-answers-callback-twice.ts'
import { defect as runtimeDropsCallback } from './runtime-drops-callback.ts'
import { defect as runtimeDropsCutCharacters } from './runtime-drops-cut-characters.ts'
import { defect as runtimeDropsCutEvents } from './runtime-drops-cut-events.ts'
import { defect as runtimeEndsTwice } from './runtime-ends-twice.ts'
import { defect as runtimeForgetsConnections } from './runtime-forgets-connections.ts'
import { defect as runtimeForgetsInstanceId } from './runtime-forgets-instance-id.ts'
import { defect as runtimeKeepsDeadlines } from './runtime-keeps-deadlines.ts'
import { defect as runtimeLosesRun } from './runtime-loses-run.ts'
import { defect as runtimeMiscountsInFlight } from './runtime-miscounts-in-flight.ts'
import { defect as runtimeMislabelsCalls } from './runtime-mislabels-calls.ts'
import { defect as runtimeNeverRecovers } from './runtime-never-recovers.ts'
import { defect as runtimeNumbersByCompletion } from './runtime-numbers-by-completion.ts'
import { defect as runtimeRecordsResultTwice } from './runtime-records-result-twice.ts'
import { defect as runtimeRepliesToLastPod } from './runtime-replies-to-last-pod.ts'
import { defect as runtimeRetriesUnasked } from './runtime-retries-unasked.ts'
import { defect as runtimeSwapsResults } from './runtime-swaps-results.ts'
import { defect as runtimeTellsFailedAsCompleted } from './runtime-tells-failed-as-completed.ts'
import { defect as runtimeWaitsForLostStream } from './runtime-waits-for-lost-stream.ts'

export type { Defect } from './defect.ts'

export const defects = {
  'balancer-falls-back': balancerFallsBack,
  'balancer-trusts-dead-pod': balancerTrustsDeadPod,
  'balancer-holds-streams': balancerHoldsStreams,
  'balancer-ignores-instance-id': balancerIgnoresInstanceId,
  'balancer-ignores-new-pods': balancerIgnoresNewPods,
  'balancer-one-pod': balancerOnePod,
  'component-server-drops-callback': componentServerDropsCallback,
  'component-server-ends-stream-early': componentServerEndsStreamEarly,
  'component-server-executes-twice': componentServerExecutesTwice,
  'component-server-never-ends-stream': componentServerNeverEndsStream,
  'component-server-shares-instance-id': componentServerSharesInstanceId,
  'component-server-swaps-blobs': componentServerSwapsBlobs,
  'component-server-wrong-value': componentServerWrongValue,
  'runtime-answers-callback-twice': runtimeAnswersCallbackTwice,
  'runtime-drops-callback': runtimeDropsCallback,
  'runtime-forgets-instance-id': runtimeForgetsInstanceId,
  'runtime-loses-run': runtimeLosesRun,
  'runtime-miscounts-in-flight': runtimeMiscountsInFlight,
  'runtime-records-result-twice': runtimeRecordsResultTwice,
  'runtime-swaps-results': runtimeSwapsResults,
  'runtime-tells-failed-as-completed': runtimeTellsFailedAsCompleted,
  'runtime-waits-for-lost-stream': runtimeWaitsForLostStream,
  'balancer-ties-to-first-pod': balancerTiesToFirstPod,
  'balancer-ignores-refusals': balancerIgnoresRefusals,
  'balancer-keeps-count-of-broken': balancerKeepsCountOfBroken,
  'balancer-feeds-leaving-pods': balancerFeedsLeavingPods,
  'balancer-cuts-silent-streams': balancerCutsSilentStreams,
  'runtime-retries-unasked': runtimeRetriesUnasked,
  'runtime-keeps-deadlines': runtimeKeepsDeadlines,
  'runtime-replies-to-last-pod': runtimeRepliesToLastPod,
  'runtime-numbers-by-completion': runtimeNumbersByCompletion,
  'runtime-never-recovers': runtimeNeverRecovers,
  'component-server-stops-at-once': componentServerStopsAtOnce,
  'component-server-keeps-messages': componentServerKeepsMessages,
  'balancer-claims-health': balancerClaimsHealth,
  'component-server-fails-healthily': componentServerFailsHealthily,
  'runtime-forgets-connections': runtimeForgetsConnections,
  'harness-checker-asleep': harnessCheckerAsleep,
  'harness-forgives-violations': harnessForgivesViolations,
  'harness-waits-for-ever': harnessWaitsForEver,
  'harness-lies-about-lag': harnessLiesAboutLag,
  'harness-plans-when-it-sends': harnessPlansWhenItSends,
  'harness-caps-latency': harnessCapsLatency,
  'harness-counts-failed-as-completed': harnessCountsFailedAsCompleted,
  'harness-loses-records': harnessLosesRecords,
  'harness-verdict-forgives': harnessVerdictForgives,
  'harness-report-hides-failures': harnessReportHidesFailures,
  'harness-kill-misses': harnessKillMisses,
  'harness-takes-any-value': harnessTakesAnyValue,
  'harness-threshold-upside-down': harnessThresholdUpsideDown,
  'harness-same-luck': harnessSameLuck,
  'harness-exits-well': harnessExitsWell,
  'balancer-refresh-zeroes-counts': balancerRefreshZeroesCounts,
  'balancer-checks-in-turn': balancerChecksInTurn,
  'component-server-drains-without-streams': componentServerDrainsWithoutStreams,
  'runtime-drops-cut-events': runtimeDropsCutEvents,
  'component-server-ready-while-stopping': componentServerReadyWhileStopping,
  'component-server-miscounts-streams': componentServerMiscountsStreams,
  'runtime-ends-twice': runtimeEndsTwice,
  'runtime-mislabels-calls': runtimeMislabelsCalls,
  'component-server-forgets-records': componentServerForgetsRecords,
  'balancer-collapses-identical-ids': balancerCollapsesIdenticalIds,
  'balancer-keeps-stale-ids': balancerKeepsStaleIds,
  'balancer-replays-posts': balancerReplaysPosts,
  'balancer-uncounts-failed-connects': balancerUncountsFailedConnects,
  'component-server-forgets-begun-streams': componentServerForgetsBegunStreams,
  'runtime-drops-cut-characters': runtimeDropsCutCharacters,
} as const satisfies Record<string, Defect>

export type DefectName = keyof typeof defects

/**
 * Arguments for Node, before the program's file, that plant a defect in it: what
 * `ClusterOptions.nodeArgs[defects[name].role]` takes. @param part what of it, for the program of `also`
 */
export function defectArgs(name: DefectName, part?: 'also'): readonly string[] {
  const { href } = pathToFileURL(`${import.meta.dirname}/plant.ts`)
  return ['--import', `${href}?defect=${name}${part === undefined ? '' : `&part=${part}`}`]
}

/** The same for every program of the system that a defect changes. */
export function nodeArgsOf(name: DefectName): Partial<Record<Role, readonly string[]>> {
  const { role, also }: Defect = defects[name]
  return {
    ...(role === 'harness' ? {} : { [role]: defectArgs(name) }),
    ...(also === undefined ? {} : { [also.role]: defectArgs(name, 'also') }),
  }
}
