// Counters of several loops, and their names.

import t from 'tap'
import { HeadMemo } from './head/memo.ts'
import { Metrics, mergeSnapshots } from './metrics.ts'
import type { Pod } from './pods.ts'
import { post, send, startFor, startPod } from './test-support.ts'

const pod = (key: string): Pod => ({
  key,
  host: key,
  port: 1,
  slot: 0,
  pools: [],
  weight: 1,
  takesWork: true,
  filling: false,
  pickedAt: 0,
  instanceId: null,
  reportedId: null,
  answerHeads: new HeadMemo(),
  idle: [],
})

t.test('adds up what several loops counted', async (t) => {
  const loops = [new Metrics(), new Metrics()]
  for (const metrics of loops) {
    metrics.finished(pod('a'), 'POST', 200, 3)
    metrics.finished(pod('a'), 'POST', 502, 20_000)
    metrics.refused(503, 'gone')
    metrics.totals.retries++
  }
  loops[0]!.finished(pod('b'), 'FROB', 200, 0.5)
  const sum = mergeSnapshots(loops.map((metrics) => metrics.snapshot()))
  t.equal(sum.totals.retries, 2)
  t.same([...sum.refusals], [['503 gone', 2]])
  const a = sum.pods.get('a')!
  t.same(
    [...a.requests],
    [
      [200, 2],
      [502, 2],
    ],
  )
  t.same(a.durations.get(0)!.buckets, [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2])
  t.equal(a.durations.get(0)!.sumMs, 40_006)
  t.same([...sum.pods.get('b')!.requests], [[7_200, 1]])
})

t.test('keeps counters of a bounded number of pods', async (t) => {
  const metrics = new Metrics()
  for (let index = 0; index < 3_000; index++) metrics.finished(pod(`pod-${index}`), 'POST', 200, 1)
  t.equal(metrics.snapshot().pods.size, 2_048)
})

t.test('shows the original’s names, with methods that no client can make up', async (t) => {
  const one = await startPod(t, 'a')
  const balancer = await startFor(t, [one])
  await send(t, balancer.port, post('{}'))
  await send(t, balancer.port, 'PROPFIND / HTTP/1.1\r\nHost: x\r\n\r\n')
  const text = await balancer.registry.metrics()
  for (const line of [
    `stepflow_lb_requests_total{backend="${one.key}",status="200",method="POST"} 1`,
    `stepflow_lb_requests_total{backend="${one.key}",status="200",method="OTHER"} 1`,
    `stepflow_lb_request_duration_ms_count{backend="${one.key}",method="POST"} 1`,
    `stepflow_lb_active_connections{backend="${one.key}"} 0`,
    `stepflow_lb_backend_health{backend="${one.key}",instance_id="a"} 1`,
    'stepflow_lb_backend_pool_size 1',
    'stepflow_lb_discovery_operations_total ',
  ]) {
    t.ok(text.includes(line), line)
  }
})

t.test('the original’s six have its kinds, labels and buckets', async (t) => {
  const one = await startPod(t, 'a')
  const balancer = await startFor(t, [one])
  await send(t, balancer.port, post('{}'))
  const lines = (await balancer.registry.metrics()).split('\n')
  const kinds = {
    requests_total: 'counter',
    request_duration_ms: 'histogram',
    active_connections: 'gauge',
    backend_health: 'gauge',
    backend_pool_size: 'gauge',
    discovery_operations_total: 'counter',
  }
  for (const [name, kind] of Object.entries(kinds))
    t.ok(lines.includes(`# TYPE stepflow_lb_${name} ${kind}`), name)
  const labels = (name: string) =>
    lines
      .filter((line) => line.startsWith(`stepflow_lb_${name}{`))
      .map((line) => [...line.matchAll(/(\w+)="/g)].map(([, label]) => label).sort())
  t.same(labels('requests_total'), [['backend', 'method', 'status']])
  t.same(labels('request_duration_ms_sum'), [['backend', 'method']])
  t.same(labels('active_connections'), [['backend']])
  t.same(labels('backend_health'), [['backend', 'instance_id']])
  const buckets = lines.flatMap(
    (line) => /^stepflow_lb_request_duration_ms_bucket\{.*le="([^"]+)"/.exec(line)?.[1] ?? [],
  )
  t.same(buckets.join(' '), '1 5 10 25 50 100 250 500 1000 2500 5000 10000 +Inf')
})
