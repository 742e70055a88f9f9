// The figures the system must reach, from its architecture document; `--targets FILE` changes single ones.

import type { Targets } from '../contracts/targets.ts'

/**
 * Each target names the scenario that measures it, the statistic and the window; docs/reference/targets.md
 * explains them.
 */
export const targets = {
  'pod-rate': {
    claim:
      'At an arrival rate of 100 requests/s a component pod, every ready pod serves them, second by second',
    scenario: 'throughput',
    statistic: 'minimum of requests counted by a pod itself in a one-second window',
    window: 'after warm-up, each whole second in which the pod was ready',
    unit: 'req/s',
    comparison: 'at least',
    // 100 requests/s, less what the edges of a one-second window may take away.
    target: 95,
  },
  'concurrent-runs': {
    claim: 'The runtime carries 50 concurrent workflows',
    scenario: 'throughput',
    statistic: "minimum of runs in flight by the runtime's own count",
    window: 'throughout the concurrent load, after warm-up',
    unit: 'runs',
    comparison: 'at least',
    target: 50,
  },
  'concurrent-run-time': {
    claim: 'The concurrent workflows are real ones: each lasts at least 200 ms',
    scenario: 'throughput',
    statistic: 'minimum duration of a run',
    window: 'throughout the concurrent load, after warm-up',
    unit: 'ms',
    comparison: 'at least',
    target: 200,
    ifMissed: 'INVALID',
  },
  'balancer-rate': {
    claim: 'One balancer relays 10,000 requests/s',
    scenario: 'bench:balancer',
    statistic: 'median of the rounds',
    window: 'each round after warm-up',
    unit: 'req/s',
    comparison: 'at least',
    target: 10_000,
  },
  'overhead-p50': {
    claim: 'Balancer and network add at most 10 ms to a typical request',
    scenario: 'overhead',
    statistic: 'p50 through the balancer less p50 direct to a pod',
    window: 'interleaved rounds at 100 requests/s a pod',
    unit: 'ms',
    comparison: 'at most',
    target: 10,
  },
  'overhead-p95': {
    claim: 'Balancer and network add at most 10 ms to a slow request',
    scenario: 'overhead',
    statistic: 'p95 through the balancer less p95 direct to a pod',
    window: 'interleaved rounds at 100 requests/s a pod',
    unit: 'ms',
    comparison: 'at most',
    target: 10,
  },
  'callback-p50': {
    claim: 'A typical call back to the runtime takes at most 5 ms',
    scenario: 'overhead',
    statistic: "p50 of a callback's round trip, measured at the pod",
    window: 'bidirectional runs at 100 requests/s a pod, after warm-up',
    unit: 'ms',
    comparison: 'at most',
    target: 5,
  },
  'callback-p95': {
    claim: 'A slow call back to the runtime takes at most 5 ms',
    scenario: 'overhead',
    statistic: "p95 of a callback's round trip, measured at the pod",
    window: 'bidirectional runs at 100 requests/s a pod, after warm-up',
    unit: 'ms',
    comparison: 'at most',
    target: 5,
  },
  'streams-at-kill': {
    claim: 'The pod is killed in the middle of its work: at least 20 of its streams wait for a callback',
    scenario: 'kill-mid-sse',
    statistic: 'streams with a callback unanswered',
    window: 'at the moment of the kill',
    unit: 'streams',
    comparison: 'at least',
    target: 20,
    ifMissed: 'INVALID',
  },
  'fail-fast': {
    claim: 'A run that lost its pod fails with a clear error within 5 s',
    scenario: 'kill-mid-sse',
    statistic: 'maximum time from the kill to the end of a failed run',
    window: 'after the kill',
    unit: 's',
    comparison: 'at most',
    target: 5,
  },
  'scale-rate': {
    claim: 'Six component pods serve 600 requests/s',
    scenario: 'scale',
    statistic: 'mean of requests completed a second',
    window: 'while six pods were ready',
    unit: 'req/s',
    comparison: 'at least',
    // 600 requests/s, with the tolerance of `pod-rate`.
    target: 570,
  },
} as const satisfies Targets
