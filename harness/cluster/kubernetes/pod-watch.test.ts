import type { V1Pod } from '@kubernetes/client-node'
import { test } from 'tap'
import type { PodEvent } from '../../../contracts/cluster.ts'
import { PodWatch } from './pod-watch.ts'

/** A watch whose events the test makes. */
function fakeWatch() {
  const listeners = new Map<string, (value: unknown) => void>()
  const calls = { starts: 0, stopped: false }
  return {
    calls,
    emit: (verb: string, value: unknown): void => listeners.get(verb)?.(value),
    on: (verb: string, listener: (value: never) => void): void => {
      listeners.set(verb, listener as (value: unknown) => void)
    },
    start: async (): Promise<void> => {
      calls.starts++
    },
    stop: async (): Promise<void> => {
      calls.stopped = true
    },
  }
}

const pod = (name: string, fields: { ready?: boolean; deleted?: boolean; phase?: string } = {}): V1Pod =>
  ({
    metadata: {
      name,
      labels: { app: 'component-server', 'pod-template-hash': 'h1' },
      creationTimestamp: new Date(2_000_000),
      ...(fields.deleted ? { deletionTimestamp: new Date() } : {}),
    },
    spec: {
      containers: [
        {
          name: 'component-server',
          ports: [
            { name: 'http', containerPort: 8080 },
            { name: 'admin', containerPort: 8081 },
          ],
        },
      ],
    },
    status: {
      phase: fields.phase ?? 'Running',
      podIP: '10.0.0.1',
      conditions: [
        { type: 'Ready', status: fields.ready ? 'True' : 'False', lastTransitionTime: new Date(2_001_000) },
      ],
    },
  }) as unknown as V1Pod

function setUp() {
  const watch = fakeWatch()
  const events: PodEvent[] = []
  const troubles: (string | null)[] = []
  const followed = new PodWatch({
    watch: watch as never,
    now: () => 5_000_000_000,
    originMs: 1_000_000,
    onPod: (event) => events.push(event),
    onTrouble: (error) => troubles.push(error?.message ?? null),
  })
  return { watch, events, troubles, followed }
}

test('tells pods as they come, change and go, and what did not change not at all', async (t) => {
  const { watch, events, followed } = setUp()
  watch.emit('add', pod('a'))
  await followed.start()
  watch.emit('update', pod('a'))
  watch.emit('update', pod('a', { ready: true }))
  watch.emit('update', pod('a', { ready: true, deleted: true }))
  watch.emit('delete', pod('a', { deleted: true }))
  t.same(
    events.map(({ kind, pod }) => [kind, pod.phase, pod.ready]),
    [
      ['added', 'Running', false],
      ['changed', 'Running', true],
      ['changed', 'Terminating', false],
      ['gone', 'Succeeded', false],
    ],
  )
  t.equal(events[0]?.pod.createdAt, 1_000_000_000, 'listed at the start: by the API server’s time')
  t.equal(events[1]?.pod.readyAt, 5_000_000_000, 'under our eyes: by our clock')
  t.equal(events[0]?.pod.adminPort, 8081)
  followed.stop()
})

test('a pod that ended for good is gone, although its object stays', async (t) => {
  const { watch, events, followed } = setUp()
  await followed.start()
  watch.emit('add', pod('a'))
  watch.emit('update', pod('a', { phase: 'Failed' }))
  watch.emit('delete', pod('a', { phase: 'Failed' }))
  t.same(
    events.map(({ kind }) => kind),
    ['added', 'gone'],
  )
  followed.stop()
})

test('a broken watch is begun again, and no more once stopped', async (t) => {
  const { watch, troubles, followed } = setUp()
  await followed.start()
  t.equal(watch.calls.starts, 1)
  const again = new Promise<void>((resolve) => {
    const start = watch.start
    watch.start = async () => {
      await start()
      resolve()
    }
  })
  watch.emit('error', new Error('read ECONNRESET'))
  await again
  t.equal(watch.calls.starts, 2)
  t.same(troubles, [null, 'read ECONNRESET'])
  followed.stop()
  watch.emit('error', new Error('aborted'))
  t.ok(watch.calls.stopped)
  t.equal(troubles.filter((text) => text === 'aborted').length, 0)
})
