// Stories of the charts over time: a kill, pods that come and go, five seconds, an hour with many faults.

import type { ChaosEvent, WindowStarted } from '../../contracts/history.ts'
import type { ScenarioResult } from '../../contracts/results.ts'
import { podNames, randomOf, sampleLoad, sampleResults, sampleSuite } from '../testing/sample.ts'
import { timelineOf } from './browser/timeline.ts'
import { html } from './html.ts'
import type { Stories, Story } from './story.ts'
import { timelineView } from './timeline.view.ts'

const [, affinity, , , kill, scale] = sampleResults('pass').scenarios as readonly ScenarioResult[]

const story = (scenario: ScenarioResult): Story => ({
  results: sampleSuite([scenario]),
  body: html`<main class="page"><div>${timelineView(timelineOf(scenario), 0)}</div></main>`,
})

/** An hour with ten pods and a fault every few minutes: one never observed, one never cleared. */
export function soakScenario(seconds = 3_600): ScenarioResult {
  const random = randomOf(7)
  const base = kill!
  const at = (second: number): number => base.startedAt + second * 1e6
  const pods = podNames('component-server', 10)
  const names = ['kill', 'freeze', 'latency 50 ms', 'partition', 'dns empty']
  const faults = Array.from({ length: 14 }, (_, index) => ({
    name: names[index % names.length]!,
    pod: pods[index % pods.length]!,
    from: (600 + index * 165) * (seconds / 3_600),
  }))
  const phase = (index: number, which: ChaosEvent['phase'], second: number): ChaosEvent => {
    const { name, pod } = faults[index]!
    return { at: at(second), kind: 'chaos', name, phase: which, pod, role: 'component-server' }
  }
  const window = (second: number, name: string): WindowStarted => ({
    at: at(second),
    kind: 'window',
    scenario: 'soak',
    window: name,
  })
  return {
    ...base,
    scenario: 'soak',
    summary: 'An hour of mixed load with a fault every few minutes.',
    endedAt: at(seconds),
    loads: [
      {
        name: 'mixed',
        load: sampleLoad(
          {
            workload: 'mixed',
            startedAt: at(0.1),
            seconds,
            rateRps: () => 12,
            typicalMs: 8,
            slowdown: (second) => (faults.some(({ from }) => second >= from && second < from + 8) ? 20 : 1),
            failing: (second) => (second % 977 === 500 ? 4 : 0),
          },
          random,
        ),
      },
    ],
    events: [
      window(0, 'warm-up'),
      window(seconds / 60, 'control'),
      window(seconds / 6, 'faults'),
      window((seconds * 5) / 6, 'recovery'),
      ...faults.flatMap(({ from }, index) => [
        phase(index, 'requested', from),
        ...(index === 3 ? [] : [phase(index, 'observed', from + 1)]),
        ...(index === 7 ? [] : [phase(index, 'cleared', from + 20 + index * 6)]),
      ]),
    ],
    pods: pods.map((pod, index) => ({
      pod,
      role: 'component-server',
      callsPerSecond: Array.from({ length: seconds }, () => Math.round(6 + 2 * random())),
      calls: seconds * 7,
      readyFrom: at(index > 7 ? seconds / 4 : 0),
      readyUntil: index === 2 ? at(seconds / 2) : null,
    })),
  }
}

export const timelineStories = {
  kill: story(kill!),
  scale: story(scale!),
  'five seconds': story({ ...affinity!, endedAt: affinity!.startedAt + 5e6 }),
  'an hour': story(soakScenario()),
  'a second': story(sampleResults('pass').scenarios[0]!),
  'nothing measured': story({ ...kill!, loads: [], events: [], pods: [] }),
} satisfies Stories
