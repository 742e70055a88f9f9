// The JSON schema of results.json: the shapes of contracts/results.ts for programs that cannot read TypeScript.
// json.test.ts does not compile where the two differ.

import { type TSchema, Type } from '@sinclair/typebox'

const closed = { additionalProperties: false } as const
const object = <T extends Record<string, TSchema>>(properties: T) => Type.Object(properties, closed)
const oneOf = <T extends string>(...values: readonly T[]) =>
  Type.Unsafe<T>(Type.Union(values.map((value) => Type.Literal(value))))
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const number = (description?: string) => Type.Number(description === undefined ? {} : { description })
const count = (description?: string) =>
  Type.Integer({ minimum: 0, ...(description === undefined ? {} : { description }) })
const text = (description?: string) => Type.String(description === undefined ? {} : { description })
const at = number('µs of CLOCK_MONOTONIC; wall-clock ms = clockOriginMs + at / 1000')
const milliseconds = nullable(number('ms; null: no sample'))
const verdict = oneOf('PASS', 'FAIL', 'INVALID')
const role = oneOf('runtime', 'balancer', 'component-server')
const engine = oneOf('embedded', 'k6', 'autocannon')
const texts = Type.Record(Type.String(), Type.String())

const checker = object({
  kind: Type.Literal('checker'),
  name: text(),
  claim: text('What must hold, in one sentence'),
  outcome: oneOf('pass', 'fail', 'unknown'),
  reason: text('One sentence with the figures that decided'),
  examined: count('Operations looked at; 0 is never a pass'),
  examples: Type.Optional(Type.Array(Type.String(), { maxItems: 20, description: 'Counterexamples' })),
})

const threshold = object({
  kind: Type.Literal('threshold'),
  name: text('Name of the target'),
  claim: text(),
  outcome: oneOf('pass', 'fail', 'unknown', 'not measured'),
  reason: text(),
  statistic: text(),
  unit: text(),
  comparison: oneOf('at most', 'at least'),
  target: number(),
  measured: nullable(number()),
  samples: Type.Optional(count()),
  window: Type.Optional(text('Stretch of the trial it was taken over')),
  measuredBy: Type.Optional(text('Scenario or benchmark that measures it')),
  ifMissed: Type.Optional(oneOf('FAIL', 'INVALID')),
  earlier: Type.Optional(
    Type.Object(
      { measured: number(), at: text('RFC 3339'), commit: nullable(text()) },
      { ...closed, description: 'What its benchmark measured before this suite: shown, not judged' },
    ),
  ),
})

const judgement = Type.Union([checker, threshold])

const figure = object({
  name: text(),
  value: Type.Union([Type.Number(), Type.String(), Type.Null()]),
  unit: Type.Optional(text()),
  note: Type.Optional(text()),
})

const step = object({ rateRps: number(), durationMs: number() })
const profile = Type.Union([
  object({ kind: Type.Literal('constant'), rateRps: number(), durationMs: number() }),
  object({ kind: Type.Literal('steps'), steps: Type.Array(step) }),
  object({ kind: Type.Literal('concurrent'), users: number(), durationMs: number() }),
  object({ kind: Type.Literal('burst'), count: number(), concurrency: number() }),
])

const load = object({
  engine,
  workload: text(),
  profile,
  startedAt: at,
  endedAt: at,
  planned: nullable(count('Arrivals planned by the profile; null in the closed model')),
  offered: count(),
  completed: count(),
  failed: count(),
  refused: count(),
  unknown: count('No answer in time or a broken connection: may or may not have run'),
  dropped: count('Never sent: too many were open'),
  incorrect: count('Completed with a wrong value'),
  offeredRps: nullable(number()),
  achievedRps: number(),
  latency: object({
    count: count(),
    minMs: milliseconds,
    meanMs: milliseconds,
    p50Ms: milliseconds,
    p90Ms: milliseconds,
    p95Ms: milliseconds,
    p99Ms: milliseconds,
    maxMs: milliseconds,
  }),
  histogram: text('Base64 of the compressed HDR histogram behind `latency`, in µs'),
  lag: object({ p50Ms: number(), p99Ms: number(), maxMs: number() }),
  generatorUtilization: number('Share of the time the generator was busy, 0 to 1'),
  seconds: Type.Array(
    object({
      second: count('From the start of the load; counts are by planned start'),
      planned: count(),
      offered: count(),
      completed: count(),
      failed: count(),
      open: count(),
      p50Ms: milliseconds,
      p99Ms: milliseconds,
      lagMs: number(),
    }),
  ),
  errors: Type.Array(object({ text: text(), count: count() }), { maxItems: 20 }),
})

const event = Type.Union([
  object({
    at,
    kind: Type.Literal('chaos'),
    name: text(),
    phase: oneOf('requested', 'observed', 'cleared'),
    role: Type.Optional(role),
    pod: Type.Optional(text()),
    detail: Type.Optional(text()),
  }),
  object({
    at,
    kind: Type.Literal('pod.state'),
    role,
    pod: text(),
    address: text(),
    phase: oneOf('Pending', 'Running', 'Terminating', 'Succeeded', 'Failed', 'Gone'),
    ready: Type.Boolean(),
    restarts: count(),
  }),
  object({ at, kind: Type.Literal('window'), scenario: text(), window: text() }),
])

const scenario = object({
  scenario: text(),
  summary: text(),
  verdict,
  startedAt: at,
  endedAt: at,
  seed: number(),
  judgements: Type.Array(judgement),
  figures: Type.Array(figure),
  loads: Type.Array(object({ name: text(), load })),
  events: Type.Array(event),
  pods: Type.Array(
    object({
      pod: text(),
      role,
      instanceId: Type.Optional(text()),
      callsPerSecond: Type.Array(number(), { description: "By second since the scenario's start" }),
      calls: count(),
      readyFrom: nullable(at),
      readyUntil: nullable(at),
    }),
  ),
  affinity: Type.Optional(
    object({
      rows: Type.Array(text(), { description: 'Pods that opened the streams' }),
      columns: Type.Array(text(), { description: 'Pods that got the replies' }),
      counts: Type.Array(Type.Array(count())),
      crossed: nullable(count('Replies that came through another balancer than the stream')),
    }),
  ),
  series: Type.Optional(
    Type.Array(
      object({
        name: text(),
        unit: text(),
        startedAt: at,
        values: Type.Array(nullable(number()), { description: 'One a second' }),
        target: Type.Optional(number()),
      }),
    ),
  ),
  replay: text('The command that runs this again'),
  ended: Type.Optional(object({ kind: oneOf('interrupted', 'error'), message: text() })),
})

/** JSON schema (draft 2020-12) of results.json; docs/reference/results.schema.json is its text. */
export const ResultsSchema = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    suite: text(),
    verdict,
    startedAt: text('RFC 3339'),
    durationMs: number(),
    clockOriginMs: number('Wall-clock ms of the zero of CLOCK_MONOTONIC'),
    seed: number(),
    command: text(),
    environment: object({
      cluster: oneOf('local', 'kubernetes'),
      clusterDescription: texts,
      platform: text(),
      cpuModel: text(),
      cpus: count(),
      memoryBytes: count(),
      node: text(),
      commit: nullable(text()),
      engine,
      tools: texts,
    }),
    scenarios: Type.Array(scenario),
    judgements: Type.Optional(Type.Array(judgement)),
    notMeasured: Type.Array(threshold),
  },
  {
    ...closed,
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'results.json of Stepflow Gauntlet, schema version 1',
  },
)
