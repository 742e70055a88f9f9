// Discovery as a whole, with sources, probes and a clock of the test's own.

import t from 'tap'
import { noHistory } from '../../program/history.ts'
import { createBuffers, type PodState, type Sought, viewBuffers } from '../pods.ts'
import { type Owner, silentLog, until } from '../test-support.ts'
import { Directory, type DirectoryOptions } from './directory.ts'
import type { ProbeResult } from './probe.ts'
import type { Found, PodSource } from './source.ts'

const good = (instanceId: string): ProbeResult => ({ kind: 'good', instanceId })
const fault: ProbeResult = { kind: 'fault', problem: 'ECONNREFUSED' }
const slow: ProbeResult = { kind: 'slow' }
const bad: ProbeResult = { kind: 'bad', problem: 'status 500' }

/** A directory over one source, whose pods answer probes by `answers`, keyed by port. */
function open(owner: Owner, ports: readonly number[], more: Partial<DirectoryOptions> = {}) {
  const counts = viewBuffers(createBuffers())
  const states = new Map<string, PodState>()
  const answers = new Map<number, () => Promise<ProbeResult> | ProbeResult>()
  let update: (found: readonly Found[]) => void = () => {}
  let nowMs = 1_000
  let refreshes = 0
  const source: PodSource = {
    start(given) {
      update = given
      set(ports)
    },
    async refresh() {
      refreshes++
    },
    close() {},
  }
  const set = (found: readonly number[], terminating: readonly number[] = []): void => {
    update([
      ...found.map((port) => ({ host: '10.0.0.1', port, terminating: false })),
      ...terminating.map((port) => ({ host: '10.0.0.1', port, terminating: true })),
    ])
  }
  const directory = new Directory({
    sources: [{ key: 'only', pool: 'default', open: () => source }],
    probe: async (_host, port) => (await answers.get(port)?.()) ?? good(`pod-${port}`),
    probeIntervalMs: 5,
    slowStartMs: 0,
    maxEjectedPercent: 70,
    counts,
    now: () => nowMs,
    listener: {
      onPod: (state) => states.set(state.key, state),
      onPodGone: (key) => states.delete(key),
    },
    history: noHistory,
    log: silentLog,
    ...more,
  })
  owner.teardown(() => directory.close())
  directory.start()
  const key = (port: number): string => `10.0.0.1:${port}`
  return {
    directory,
    states,
    counts,
    set,
    key,
    answer: (port: number, answer: () => Promise<ProbeResult> | ProbeResult) => answers.set(port, answer),
    takers: () => [...states.values()].filter(({ takesWork }) => takesWork).map(({ key: one }) => one),
    slot: (port: number) => states.get(key(port))!.slot,
    at: (ms: number) => {
      nowMs = ms
    },
    refreshes: () => refreshes,
  }
}

t.test('gives work to pods at their first good answer, and tells who they are', async (t) => {
  const { takers, states, key, directory } = open(t, [1, 2])
  t.equal(directory.everReady, false)
  await until(() => takers().length === 2)
  t.equal(states.get(key(1))!.instanceId, 'pod-1')
  t.equal(directory.everReady, true)
})

t.test('a pod that is only busy keeps its work, a frozen one loses it', async (t) => {
  const { takers, answer, counts, slot, key, at, directory } = open(t, [1, 2, 3])
  await until(() => takers().length === 3)
  answer(1, () => {
    // It answers somebody else while the probe waits.
    counts.heardMs[slot(1)] = 5_000
    return slow
  })
  answer(2, () => slow)
  at(4_000)
  await until(() => takers().length === 2)
  t.same(takers(), [key(1), key(3)])
  const { busy } = directory.probes
  await until(() => directory.probes.busy > busy + 5)
  t.same(takers(), [key(1), key(3)])
})

t.test('signs of illness put out no more than the cap, transport faults do', async (t) => {
  const { takers, answer, directory, key } = open(t, [1, 2, 3])
  await until(() => takers().length === 3)
  for (const port of [1, 2, 3]) answer(port, () => bad)
  await until(() => takers().length === 1)
  const { bad: before } = directory.probes
  await until(() => directory.probes.bad > before + 20)
  t.equal(takers().length, 1)
  // With the last one gone, too, everything that is listed has to do.
  directory.onFault(takers()[0]!, 'refused')
  t.same(takers().sort(), [key(1), key(2), key(3)])
  t.same(
    directory.reports().map(({ state }) => state),
    ['panic', 'panic', 'panic'],
  )
  answer(2, () => good('pod-2'))
  await until(() => takers().length === 1)
  t.same(takers(), [key(2)])
})

t.test('panic spares pods that answer nothing at all', async (t) => {
  const { takers, answer, key } = open(t, [1, 2], { maxEjectedPercent: 100 })
  await until(() => takers().length === 2)
  answer(1, () => slow)
  answer(2, () => fault)
  await until(() => takers().join() === key(2))
})

t.test('a fault in the relay puts a pod out at once, two good answers bring it back', async (t) => {
  const { takers, directory, key } = open(t, [1, 2], { probeIntervalMs: 20 })
  await until(() => takers().length === 2)
  directory.onFault(key(1), 'reset')
  t.same(takers(), [key(2)])
  await until(() => takers().length === 2)
})

t.test('a pod that left takes no new work but is known until it is dead and idle', async (t) => {
  const { takers, set, states, key, answer, counts, slot, directory } = open(t, [1, 2])
  await until(() => takers().length === 2)
  const taken = slot(2)
  Atomics.add(counts.inFlight, taken, 1)
  set([1])
  t.same(takers(), [key(1)])
  answer(2, () => fault)
  const { fault: before } = directory.probes
  await until(() => directory.probes.fault > before + 5)
  t.equal(states.has(key(2)), true)
  Atomics.sub(counts.inFlight, taken, 1)
  await until(() => !states.has(key(2)))
  let sought: Sought | null = null
  directory.seek('pod-2', (found) => {
    sought = found
  })
  t.same(sought, { reason: 'gone' })
})

t.test('a pod first seen while it terminates is known for its callbacks only', async (t) => {
  const { set, states, key, takers } = open(t, [1])
  await until(() => takers().length === 1)
  set([1], [2])
  await until(() => states.get(key(2))?.instanceId === 'pod-2')
  t.same(takers(), [key(1)])
})

t.test('a pod that a source still names is not forgotten, however dead it seems', async (t) => {
  const { set, states, key, answer, directory, takers } = open(t, [1, 2])
  await until(() => takers().length === 2)
  answer(2, () => fault)
  set([1], [2])
  const { fault: before } = directory.probes
  await until(() => directory.probes.fault > before + 5)
  t.equal(states.has(key(2)), true)
  set([1])
  await until(() => !states.has(key(2)))
})

t.test('an operator can take a pod out of new work, and back', async (t) => {
  const { directory, takers, key } = open(t, [1, 2])
  await until(() => takers().length === 2)
  t.equal(directory.hold(key(1), true), true)
  t.same(takers(), [key(2)])
  t.match(directory.reports()[0], { held: true, state: 'draining' })
  t.equal(directory.hold(key(1), false), true)
  t.equal(takers().length, 2)
  t.equal(directory.hold('10.0.0.9:9', true), false)
})

t.test('a late pod starts slowly, the first ones do not', async (t) => {
  const { set, states, key, takers, at } = open(t, [1], { slowStartMs: 1_000 })
  await until(() => takers().length === 1)
  t.equal(states.get(key(1))!.weight, 1)
  at(5_000)
  set([1, 2])
  await until(() => takers().length === 2)
  t.equal(states.get(key(2))!.weight, 0.1)
  at(5_500)
  await until(() => states.get(key(2))!.weight === 0.5)
  at(7_000)
  await until(() => states.get(key(2))!.weight === 1)
})

t.test(
  'seeks an unknown instance at every pod, looks for pods anew, and gives up once all have answered',
  async (t) => {
    const { directory, takers, answer, key, refreshes, set } = open(t, [1, 2], { probeIntervalMs: 60_000 })
    await until(() => takers().length === 2)
    const ask = (id: string) => new Promise<Sought>((resolve) => directory.seek(id, resolve))
    t.same(await ask('pod-1'), { key: key(1) })
    t.equal(refreshes(), 0)
    t.same(await ask('nobody'), { reason: 'unknown' })
    t.equal(refreshes(), 1)
    answer(2, () => good('newborn'))
    t.same(await ask('newborn'), { key: key(2) })
    t.same(await ask('pod-2'), { reason: 'gone' })
    set([1, 2, 3])
    t.same(await ask('pod-3'), { key: key(3) })
  },
)

t.test('many searches at a time cost one round of probes', async (t) => {
  let probes = 0
  const { directory, takers, answer } = open(t, [1], { probeIntervalMs: 60_000 })
  await until(() => takers().length === 1)
  answer(1, () => {
    probes++
    return good('pod-1')
  })
  const all = Array.from(
    { length: 100 },
    (_, id) => new Promise<Sought>((resolve) => directory.seek(`made-up-${id}`, resolve)),
  )
  t.ok((await Promise.all(all)).every((sought) => 'reason' in sought && sought.reason === 'unknown'))
  t.ok(probes <= 2, `${probes} probes`)
})

t.test('raises an alarm for an id at two pods, and for a new one at an old address', async (t) => {
  const { directory, takers, answer, states, key } = open(t, [1, 2])
  answer(2, () => good('pod-1'))
  await until(() => takers().length === 2)
  t.ok(directory.alarms.duplicate > 0)
  const holders = [1, 2].filter((port) => states.get(key(port))!.instanceId === 'pod-1')
  t.equal(holders.length, 1)
  const [holder = 0] = holders
  answer(holder, () => good('other'))
  await until(() => directory.alarms.changed > 0)
  t.equal(states.get(key(holder))!.instanceId, 'other')
})
