// The planted defects by name: one file and one line each.

import { pathToFileURL } from 'node:url'
import { defect as balancerClaimsHealth } from './balancer-claims-health.ts'
import { defect as balancerCutsSilentStreams } from './balancer-cuts-silent-streams.ts'
import { defect as balancerFallsBack } from './balancer-falls-back.ts'
import { defect as balancerFeedsLeavingPods } from './balancer-feeds-leaving-pods.ts'
import { defect as balancerHoldsStreams } from './balancer-holds-streams.ts'
import { defect as balancerIgnoresInstanceId } from './balancer-ignores-instance-id.ts'
import { defect as balancerIgnoresNewPods } from './balancer-ignores-new-pods.ts'
import { defect as balancerIgnoresRefusals } from './balancer-ignores-refusals.ts'
import { defect as balancerKeepsCountOfBroken } from './balancer-keeps-count-of-broken.ts'
import { defect as balancerOnePod } from './balancer-one-pod.ts'
import { defect as balancerTiesToFirstPod } from './balancer-ties-to-first-pod.ts'
import { defect as balancerTrustsDeadPod } from './balancer-trusts-dead-pod.ts'
import { defect as componentServerDropsCallback } from './component-server-drops-callback.ts'
import { defect as componentServerEndsStreamEarly } from './component-server-ends-stream-early.ts'
import { defect as componentServerExecutesTwice } from './component-server-executes-twice.ts'
import { defect as componentServerFailsHealthily } from './component-server-fails-healthily.ts'
import { defect as componentServerKeepsMessages } from './component-server-keeps-messages.ts'
import { defect as componentServerNeverEndsStream } from './component-server-never-ends-stream.ts'
import { defect as componentServerSharesInstanceId } from './component-server-shares-instance-id.ts'
import { defect as componentServerStopsAtOnce } from './component-server-stops-at-once.ts'
import { defect as componentServerSwapsBlobs } from './component-server-swaps-blobs.ts'
import { defect as componentServerWrongValue } from './component-server-wrong-value.ts'
import type { Defect } from './defect.ts'
import { defect as runtimeAnswersCallbackTwice } from './runtime-answers-callback-twice.ts'
import { defect as runtimeDropsCallback } from './runtime-drops-callback.ts'
import { defect as runtimeForgetsConnections } from './runtime-forgets-connections.ts'
import { defect as runtimeForgetsInstanceId } from './runtime-forgets-instance-id.ts'
import { defect as runtimeKeepsDeadlines } from './runtime-keeps-deadlines.ts'
import { defect as runtimeLosesRun } from './runtime-loses-run.ts'
import { defect as runtimeMiscountsInFlight } from './runtime-miscounts-in-flight.ts'
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
} as const satisfies Record<string, Defect>

export type DefectName = keyof typeof defects

/**
 * Arguments for Node, before the program's file, that plant a defect in it: what
 * `ClusterOptions.nodeArgs[defects[name].role]` takes.
 */
export function defectArgs(name: DefectName): readonly string[] {
  const { href } = pathToFileURL(`${import.meta.dirname}/plant.ts`)
  return ['--import', `${href}?defect=${name}`]
}
