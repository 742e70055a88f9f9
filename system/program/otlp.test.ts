// What a collector gets: log lines, metrics, and nothing lost when it is away.

import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import t from 'tap'
import { openLog } from './log.ts'
import { exportLines, exportMetrics, otlpMetric } from './otlp.ts'
import { startCollector } from './test-collector.ts'

t.test('sends log lines with their level, fields and time', async (t) => {
  const collector = await startCollector(t)
  const log = openLog({
    program: 'balancer',
    level: 'info',
    format: 'json',
    destination: 'otlp',
    file: null,
    collector,
  })
  log.debug({}, 'not logged')
  log.warn({ backend: '127.0.0.1:1', inFlight: 3, share: 0.5, held: true, pools: ['a'] }, 'pod state')
  await log.drain!()
  const [body] = collector.bodies.get('/v1/logs') as Record<string, unknown>[]
  t.match(body, {
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'stepflow-test' } }] },
        scopeLogs: [
          {
            logRecords: [
              {
                timeUnixNano: /^\d{19}$/,
                severityNumber: 13,
                severityText: 'WARN',
                body: { stringValue: 'pod state' },
                attributes: [
                  { key: 'backend', value: { stringValue: '127.0.0.1:1' } },
                  { key: 'inFlight', value: { intValue: '3' } },
                  { key: 'share', value: { doubleValue: 0.5 } },
                  { key: 'held', value: { boolValue: true } },
                  { key: 'pools', value: { stringValue: '["a"]' } },
                ],
              },
            ],
          },
        ],
      },
    ],
  })
})

t.test('lines that the collector does not take, or that are too many, go elsewhere', async (t) => {
  const collector = await startCollector(t)
  const spared: string[] = []
  const exporter = exportLines(collector, (line) => spared.push(line))
  const line = '{"time":"2026-01-01T00:00:00.000Z","level":"info","event":"x"}'
  collector.status = 500
  exporter.write(line)
  await exporter.flush()
  t.same(spared, [line])
  collector.status = 200
  for (let count = 0; count < 5_000; count++) exporter.write(line)
  t.equal(spared.length, 1 + 5_000 - 4_096)
  await exporter.flush()
  t.equal(collector.bodies.get('/v1/logs')?.length, 1)
})

t.test('sends metrics, and once more at the end', async (t) => {
  const collector = await startCollector(t)
  const warnings: object[] = []
  const log = { debug() {}, info() {}, error() {}, warn: (fields: object) => warnings.push(fields) }
  const registry = new Registry()
  new Counter({ name: 'c_total', help: 'c', labelNames: ['l'], registers: [registry] }).inc({ l: 'x' }, 2)
  collector.status = 503
  const end = exportMetrics(registry, collector, log, 10)
  while (warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  collector.status = 200
  await end()
  t.equal(warnings.length, 1)
  const bodies = collector.bodies.get('/v1/metrics')!
  t.match(bodies.at(-1), {
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'c_total', sum: { isMonotonic: true } }] }] }],
  })
})

t.test('tells counters, gauges and histograms apart, as OTLP has them', async (t) => {
  const registry = new Registry()
  const registers = [registry]
  new Counter({ name: 'c_total', help: 'a counter', labelNames: ['l'], registers }).inc({ l: 'x' }, 2)
  new Gauge({ name: 'g', help: 'a gauge', registers }).set(1.5)
  const histogram = new Histogram({ name: 'h', help: 'ms', labelNames: ['l'], buckets: [1, 5], registers })
  for (const value of [0.5, 3, 4, 9]) histogram.observe({ l: 'x' }, value)
  const families = (await registry.getMetricsAsJSON()) as unknown as Parameters<typeof otlpMetric>[0][]
  const [counter, gauge, times] = families.map((family) => otlpMetric(family, '1', '2'))
  const attributes = [{ key: 'l', value: { stringValue: 'x' } }]
  const at = { startTimeUnixNano: '1', timeUnixNano: '2' }
  t.same(counter, {
    name: 'c_total',
    description: 'a counter',
    sum: { dataPoints: [{ attributes, ...at, asDouble: 2 }], aggregationTemporality: 2, isMonotonic: true },
  })
  t.same(gauge, {
    name: 'g',
    description: 'a gauge',
    gauge: { dataPoints: [{ attributes: [], ...at, asDouble: 1.5 }] },
  })
  t.same(times, {
    name: 'h',
    description: 'ms',
    histogram: {
      dataPoints: [
        {
          attributes,
          ...at,
          count: '4',
          sum: 16.5,
          bucketCounts: ['1', '2', '1'],
          explicitBounds: [1, 5],
        },
      ],
      aggregationTemporality: 2,
    },
  })
})
