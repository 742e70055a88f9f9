// Load: engines, profiles, and what their results say about the system and about themselves.

export { latencyDoubts } from './doubts.ts'
export { createEmbeddedEngine } from './engines/embedded/index.ts'
export { mergeHistograms } from './histogram.ts'
export { type PodRate, type PodRateOptions, podRate } from './pod-rate.ts'
