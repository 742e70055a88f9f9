// Tests of experiment files: the examples are read, and what is wrong in one is told with its line and field.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { GauntletErrors } from '../../contracts/errors.ts'
import { checkers } from '../checkers/index.ts'
import { faults } from '../faults/index.ts'
import { linksOf } from './model.ts'
import { parseExperiment } from './parse.ts'

const known = { faults, checkers: Object.keys(checkers) }
const parse = (text: string) => parseExperiment(text, 'x.yaml', known)

const smallest = `name: a
description: b
load:
  - { workload: double, rateRps: 10 }
`

/** Every problem of a file, a line each. */
function problemsOf(text: string): readonly string[] {
  try {
    parse(text)
    return []
  } catch (error) {
    if (error instanceof GauntletErrors) return error.problems.map(({ message }) => message)
    return [(error as Error).message]
  }
}

t.test('every example is an experiment, named as its file', async (t) => {
  const folder = join(import.meta.dirname, '../../experiments')
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
  t.ok(files.length >= 5)
  for (const file of files) {
    const experiment = parseExperiment(readFileSync(join(folder, file), 'utf8'), file, known)
    t.equal(`${experiment.name}.yaml`, file)
    t.ok(experiment.faults.length > 0)
  }
})

t.test('what is left out has its default', async (t) => {
  const experiment = parse(`${smallest}faults:\n  - { fault: latency, at: 2s, with: { delayMs: 5 } }\n`)
  t.match(experiment, {
    durationMs: 8_000,
    loads: [{ name: 'double', workload: 'double', rateRps: 10 }],
    blastRadius: { pods: 3 },
    recoverWithinMs: 3_000,
    faults: [
      {
        name: 'latency',
        role: 'component-server',
        pods: 'all',
        trigger: { kind: 'at', atMs: 2_000 },
        forMs: 2_000,
        settings: { direction: 'both', delayMs: 5, jitterMs: 0 },
      },
    ],
  })
  t.same(
    linksOf(experiment, (fault) => faults[fault]?.victim),
    ['component-server'],
  )
})

t.test('triggers: by time, by count, by another fault, by an exact moment', async (t) => {
  const { faults: placed } = parse(`${smallest}faults:
  - { name: a, fault: pod-killed, at: 1500ms }
  - { name: b, fault: pod-frozen, when: 10 streams open }
  - { name: c, fault: pod-frozen, when: 100 answers }
  - { name: d, fault: pod-frozen, after: b }
  - { name: e, fault: pod-killed, when: { step: hold, event: 2 } }
`)
  t.same(
    placed.map(({ trigger }) => trigger),
    [
      { kind: 'at', atMs: 1_500 },
      { kind: 'count', what: 'streams', least: 10 },
      { kind: 'count', what: 'answers', least: 100 },
      { kind: 'after', fault: 'b' },
      { kind: 'moment', event: 2, step: 'hold' },
    ],
  )
})

for (const [name, text, message] of [
  ['a key that is not known', 'loads: 1\n', /^x\.yaml:5 loads: is not known, use name, description/],
  [
    'a fault that there is not',
    'faults:\n  - { fault: pod-kiled, at: 1s }\n',
    /^x\.yaml:6 faults\[0\]\.fault: got "pod-kiled", use pod-killed, /,
  ],
  [
    'a setting out of its range',
    'faults:\n  - fault: loss\n    at: 1s\n    with:\n      share: 2\n',
    /^x\.yaml:8 faults\[0\]\.with\.share: got 2, use a number from 0\.001 to 0\.99/,
  ],
  [
    'a setting that there is not',
    'faults:\n  - fault: pod-killed\n    at: 1s\n    with: { hard: yes }\n',
    /faults\[0\]\.with\.hard: is no setting of this fault, leave it out/,
  ],
  [
    'no trigger',
    'faults:\n  - fault: pod-killed\n',
    /^x\.yaml:6 faults\[0\]: has not exactly one of at, when/,
  ],
  [
    'a trigger of no meaning',
    'faults:\n  - fault: pod-killed\n    when: soon\n',
    /^x\.yaml:7 faults\[0\]\.when: got "soon", write e\.g\. 10 streams open/,
  ],
  [
    'a fault after the end',
    'faults:\n  - { fault: pod-killed, at: 1m }\n',
    /faults\[0\]\.at: is after the end of the load/,
  ],
  [
    'a fault outside of the blast radius',
    'blastRadius: { pods: 1, roles: [balancer] }\nfaults:\n  - { fault: pod-killed, at: 1s }\n',
    /^x\.yaml:7 faults\[0\]\.on: component-server is outside of the blast radius/,
  ],
  [
    'more pods than the blast radius',
    'blastRadius: { pods: 1 }\nfaults:\n  - { fault: pod-killed, at: 1s, on: { pods: 2 } }\n',
    /faults\[0\]\.on: 2 pods are more than the blast radius/,
  ],
  [
    'a condition without a bound',
    'steady:\n  - { metric: p99-ms }\n',
    /^x\.yaml:6 steady\[0\]: has no bound, write atLeast or atMost/,
  ],
  ['a checker that there is not', 'expect: { checkers: [x] }\n', /^x\.yaml:5 expect\.checkers\[0\]: got "x"/],
  ['YAML that is none', 'faults: [\n', /^x\.yaml:\d+: /],
] as const) {
  t.test(`tells ${name} with its line`, async (t) => {
    const problems = problemsOf(smallest + text)
    t.match(problems[0], message)
  })
}

t.test('tells all problems at once', async (t) => {
  t.equal(problemsOf('name: 1\nload: 2\nfaults: 3\n').length, 5)
})
