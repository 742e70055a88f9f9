import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { bySecond, createNoiseMeter } from './noise.ts'

t.test('splits samples by time over the seconds they touch', async (t) => {
  const sample = { fromUs: 500_000, untilUs: 2_500_000, steal: 20, others: 100, own: 200 }
  const shares = { stealShare: 0.05, othersShare: 0.25, ownShare: 0.5 }
  t.same(bySecond([sample], 0, 3_000_000, 2), [
    { second: 0, ...shares },
    { second: 1, ...shares },
    { second: 2, ...shares },
  ])
  t.same(
    bySecond([{ ...sample, fromUs: 800_000 }], 0, 1_000_000, 2),
    [null],
    'most of the second was not seen',
  )
  t.same(bySecond([], 0, 999_999, 2), [])
})

t.test('tells our processes, their ended children, and others apart', async (t) => {
  const proc = fakeProc(t)
  let now = 0
  const advance = (): void => {
    now += 1_000_000
  }
  proc.machine({ busy: 1_000, steal: 0 })
  proc.process(10, { parent: 1, own: 100, children: 0 })
  proc.process(20, { parent: 1, own: 300, children: 0 })
  const options = { rootPid: 10, procfs: proc.folder, intervalMs: 3_600_000, cores: 2, now: () => now }
  using meter = createNoiseMeter(options)
  t.equal(meter.unavailable, null)

  // Ours used 30 and 20 and, in a grandchild whose number is lower than its parent's, 10; others 40.
  advance()
  proc.machine({ busy: 1_100, steal: 50 })
  proc.process(10, { parent: 1, own: 130, children: 0 })
  proc.process(12, { parent: 10, own: 20, children: 0 })
  proc.process(11, { parent: 12, own: 10, children: 0 })
  proc.process(20, { parent: 1, own: 340, children: 0 })
  const [first] = meter.seconds(0, 1_000_000) ?? []
  t.match(first, { stealShare: 0.25, othersShare: 0.2, ownShare: 0.3 })

  // The child ends and is waited for: its 20 are not counted again, nor the 10 of its child, which has a new parent.
  advance()
  proc.machine({ busy: 1_105, steal: 50 })
  rmSync(`${proc.folder}/12`, { recursive: true })
  proc.process(10, { parent: 1, own: 130, children: 25 })
  proc.process(11, { parent: 1, own: 10, children: 0 })
  const [, second] = meter.seconds(0, 2_000_000) ?? []
  t.match(second, { stealShare: 0, othersShare: 0, ownShare: 0.025 })
})

t.test('says why it cannot measure', async (t) => {
  using meter = createNoiseMeter({ procfs: `${t.testdir()}/none` })
  t.match(meter.unavailable, /none\/stat cannot be read/)
  t.equal(meter.seconds(0, 5_000_000), null)
})

t.test(
  'measures this machine',
  { skip: process.platform === 'linux' ? false : 'only on Linux' },
  async (t) => {
    let now = 0
    using meter = createNoiseMeter({ now: () => now, intervalMs: 3_600_000 })
    t.equal(meter.unavailable, null)
    const until = process.cpuUsage().user + 100_000
    while (process.cpuUsage().user < until) Math.hypot(1, 2)
    now = 1_000_000
    const [second] = meter.seconds(0, 1_000_000) ?? []
    t.ok((second?.ownShare ?? 0) > 0, 'its own 0.1 s of CPU time is seen')
  },
)

t.test('processes of the control groups named are ours, whoever started them', async (t) => {
  const proc = fakeProc(t)
  proc.machine({ busy: 100, steal: 0 })
  proc.process(10, { parent: 1, own: 0, children: 0 })
  for (const pid of [20, 21]) proc.process(pid, { parent: 1, own: 0, children: 0 })
  proc.cgroup(20, '4:cpu,cpuacct:/kubepods/burstable/podx/y')
  proc.cgroup(21, '4:cpu,cpuacct:/user.slice')
  let now = 0
  using meter = createNoiseMeter({
    ...{ rootPid: 10, procfs: proc.folder, cores: 1, intervalMs: 3_600_000, now: () => now },
    cgroups: /kubepods/,
  })
  for (const pid of [20, 21]) proc.process(pid, { parent: 1, own: 30, children: 0 })
  proc.machine({ busy: 160, steal: 0 })
  now = 1_000_000
  const [second] = meter.seconds(0, now) ?? []
  t.equal(second?.ownShare.toFixed(2), '0.30')
  t.equal(second?.othersShare.toFixed(2), '0.30')
})

/** A folder like /proc. */
function fakeProc(t: Test) {
  const folder = t.testdir()
  return {
    folder,
    machine({ busy, steal }: { readonly busy: number; readonly steal: number }): void {
      writeFileSync(`${folder}/stat`, `cpu  ${busy - 10} 0 10 500 7 0 0 ${steal} 0 0\ncpu0 1 1\n`)
    },
    cgroup(pid: number, line: string): void {
      writeFileSync(`${folder}/${pid}/cgroup`, `${line}\n`)
    },
    process(
      pid: number,
      { parent, own, children }: { readonly parent: number; readonly own: number; readonly children: number },
    ): void {
      mkdirSync(`${folder}/${pid}`, { recursive: true })
      const times = `${own} 0 ${children} 0`
      writeFileSync(`${folder}/${pid}/stat`, `${pid} (a) b) S ${parent} 1 1 0 -1 0 0 0 0 0 ${times} 20 0\n`)
    },
  }
}
