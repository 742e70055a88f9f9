// The faults by name: one file and one line each.

import { clockSkewed } from './clock-skewed.ts'
import { cpuHog } from './cpu-hog.ts'
import { cpuStarved } from './cpu-starved.ts'
import { crashLoop } from './crash-loop.ts'
import { descriptorsExhausted } from './descriptors-exhausted.ts'
import { diskFull } from './disk-full.ts'
import { dnsEmpty, dnsFailing, dnsSlow, dnsStale } from './dns.ts'
import type { Fault } from './fault.ts'
import { memoryLimited } from './memory-limited.ts'
import {
  bandwidth,
  corruption,
  halfOpen,
  latency,
  loss,
  partition,
  slowReader,
  splitEvents,
  streamReset,
  truncation,
} from './network.ts'
import { nodeDrained } from './node-drained.ts'
import { notReady } from './not-ready.ts'
import { outOfMemory } from './out-of-memory.ts'
import { podFrozen } from './pod-frozen.ts'
import { podKilled } from './pod-killed.ts'
import { podStopped } from './pod-stopped.ts'
import { processKilled } from './process-killed.ts'
import { rollingRestart } from './rolling-restart.ts'
import { scaleStorm } from './scale-storm.ts'
import { slowStart } from './slow-start.ts'

export type { AimedFault, Fault, Leftover, Target } from './fault.ts'

export const faults: Readonly<Record<string, Fault>> = Object.fromEntries(
  [
    podKilled,
    podStopped,
    processKilled,
    podFrozen,
    crashLoop,
    slowStart,
    notReady,
    cpuStarved,
    cpuHog,
    memoryLimited,
    outOfMemory,
    descriptorsExhausted,
    diskFull,
    latency,
    bandwidth,
    loss,
    partition,
    halfOpen,
    streamReset,
    slowReader,
    corruption,
    truncation,
    splitEvents,
    dnsFailing,
    dnsEmpty,
    dnsStale,
    dnsSlow,
    clockSkewed,
    rollingRestart,
    scaleStorm,
    nodeDrained,
  ].map((fault) => [fault.name, fault]),
)
