// Tests of the harness's copy of the pods, and of waiting for it.

import { test } from 'tap'
import type { Pod, PodEvent } from '../../../contracts/cluster.ts'
import { GauntletError } from '../../../contracts/errors.ts'
import { PodTable } from './pod-table.ts'
import type { PodStatus } from './protocol.ts'

const status: PodStatus = { revision: 'r', pid: 1, lastExit: null, notReady: null }
const event = (kind: PodEvent['kind'], name: string, over: Partial<Pod> = {}): PodEvent => ({
  at: 1,
  kind,
  pod: {
    name,
    role: 'balancer',
    address: '127.0.0.1',
    port: 1,
    adminPort: 2,
    phase: 'Running',
    ready: true,
    restarts: 0,
    createdAt: 1,
    ...over,
  },
})

test('keeps gone pods apart from those that are there', async (t) => {
  const table = new PodTable()
  table.update(event('added', 'a'), status)
  table.update(event('added', 'b'), status)
  table.update(event('gone', 'a'), status)
  t.same(
    table.of('balancer').map(({ pod }) => pod.name),
    ['b'],
  )
  t.same(
    table.all().map(({ pod }) => pod.name),
    ['a', 'b'],
  )
  t.same(table.of('runtime'), [])
})

test('tells watchers of pods, and not of a status', async (t) => {
  const table = new PodTable()
  const seen: string[] = []
  const unwatch = table.watch(({ kind }) => seen.push(kind))
  table.update(event('added', 'a'), status)
  table.updateStatus('a', { ...status, notReady: 'HTTP 503' })
  t.match(table.describe('balancer'), 'HTTP 503')
  unwatch()
  table.update(event('gone', 'a'), status)
  t.same(seen, ['added'])
})

test('waits for what comes, and gives up at the time-out, the signal and the cluster’s end', async (t) => {
  const table = new PodTable()
  const wait = (options = {}) =>
    table.wait(
      () => table.find('a')?.pod.name,
      () => 'pod a',
      options,
    )
  await t.rejects(wait({ timeoutMs: 5 }), { code: 'ERR_TIMEOUT', message: /not in 5 ms: pod a/ })
  const controller = new AbortController()
  const aborted = wait({ signal: controller.signal })
  controller.abort(new Error('enough'))
  await t.rejects(aborted, { message: 'enough' })
  await t.rejects(wait({ signal: controller.signal }), { message: 'enough' })
  const waiting = wait()
  table.update(event('added', 'a'), status)
  t.equal(await waiting, 'a')
  const late = table.wait(
    () => undefined,
    () => 'nothing',
  )
  table.fail(new GauntletError('ERR_CLUSTER', 'it ended'))
  await t.rejects(late, { code: 'ERR_CLUSTER' })
  await t.rejects(wait(), { code: 'ERR_CLUSTER' }, 'also what would hold: the pods are gone')
})
