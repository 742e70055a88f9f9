// Every fault that Kubernetes supports, on a real cluster: takes effect, is seen to, is undone, and is seen to be gone.

import t from 'tap'
import { faults } from '../../chaos/faults/index.ts'
import { startKubernetesCluster } from '../../harness/cluster/kubernetes/index.ts'
import { networkFaults, whileCalling, wholeLife } from '../e2e/faults-helpers.ts'
import { env, run, skip } from './cluster.ts'

t.setTimeout(900_000)

const unsupported = [
  /^not-ready: this cluster cannot override the readiness of a pod/,
  /^cpu-hog: the pods run on other machines/,
  /^memory-limited: the pods run on other machines/,
  /^out-of-memory: the pods run on other machines/,
  /^descriptors-exhausted: the pods run on other machines/,
  /^disk-full: the pods have no folder/,
  /^dns-failing: this cluster's DNS cannot be broken/,
  /^dns-empty: this cluster's DNS cannot be broken/,
  /^dns-stale: this cluster's DNS cannot be broken/,
  /^dns-slow: this cluster's DNS cannot be broken/,
  /^clock-skewed: this cluster cannot change how a pod's program is started/,
]

t.test('faults on Kubernetes', { skip }, async (t) => {
  run(process.execPath, ['images/main.ts'])
  run(process.execPath, ['harness/cli/deploy.ts', '--overlay', 'chaos'])
  const cluster = await startKubernetesCluster({}, env)
  t.teardown(() => cluster.stop())
  const seen = new Set<string>()
  const life = async (
    name: string,
    aim: Parameters<typeof wholeLife>[3],
    evidence: RegExp,
  ): Promise<void> => {
    seen.add(name)
    await t.test(`${name} ${JSON.stringify(aim)}`, (t) => wholeLife(t, cluster, name, aim, evidence))
  }

  await life('pod-killed', {}, /terminates|is gone/)
  await life('pod-killed', { role: 'balancer' }, /terminates|is gone/)
  await life('pod-killed', { role: 'runtime' }, /terminates|is gone/)
  await life('pod-stopped', { settings: { graceSeconds: 1 } }, /terminates|is gone/)
  await life('slow-start', { settings: { delayMs: 5_000 } }, /not ready \d+ ms after its start/)
  await life('process-killed', {}, /started again \(\d\)/)
  await life('pod-frozen', {}, /does not answer/)
  await life('cpu-starved', { settings: { share: 0.05, by: 'signals' } }, /livez took \d{2,} ms/)
  await whileCalling(cluster, async () => {
    for (const [name, settings, evidence] of networkFaults) await life(name, { settings }, evidence)
  })
  await life('scale-storm', { settings: { most: 4, everyMs: 1_000 } }, /sizes \d, \d/)
  await life('node-drained', { pods: 2 }, /terminates|is gone/)
  await life('rolling-restart', { role: 'balancer' }, /is new/)
  // Last: the kubelet goes on to make a pod wait that crashed, for minutes.
  await life('crash-loop', {}, /started [2-9] times, not ready/)

  // Named one by one, so that one more that Kubernetes supports is tried here, and one less is noticed.
  const reasons = Object.values(faults).flatMap(({ name, supports }) =>
    supports(cluster) === null ? [] : [`${name}: ${supports(cluster)}`],
  )
  t.match(reasons, unsupported)
  t.same(
    Object.keys(faults).sort(),
    [...seen, ...reasons.map((reason) => reason.replace(/:.*/, ''))].sort(),
    'none is left out',
  )
})
