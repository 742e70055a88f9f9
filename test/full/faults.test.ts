// Every fault on a real cluster: it takes effect, is seen to, is undone, and is seen to be gone.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { faults } from '../../chaos/faults/index.ts'
import { limitsSupport } from '../../chaos/faults/limits.ts'
import { isAlive, podNow } from '../../chaos/faults/pods.ts'
import { UnreadAnswers } from '../../chaos/faults/unread-answers.ts'
import type { Pod, Role } from '../../contracts/cluster.ts'
import { startLocalCluster } from '../../harness/cluster/local/index.ts'
import { inject, networkFaults, whileCalling, wholeLife } from '../e2e/faults-helpers.ts'
import { skipUnless } from '../skip.ts'

t.setTimeout(240_000)
const cluster = await startLocalCluster(
  { links: ['balancer', 'component-server'] },
  { preStopMs: 300, backOffMs: 100, backOffLimitMs: 400 },
)
t.teardown(() => cluster.stop())

const seen = new Set<string>()
const life: typeof wholeLife = (t, cluster, name, ...rest) => {
  seen.add(name)
  return wholeLife(t, cluster, name, ...rest)
}

const answers = async (pod: Pod, timeoutMs = 2_000): Promise<number> => {
  const answer = await fetch(`${cluster.podUrl(pod)}/health`, { signal: AbortSignal.timeout(timeoutMs) })
  return answer.status
}

/** Runs until V8 has memory to spare in all three programs: some hundreds were enough for it to need none for 40 s. */
async function warm(): Promise<void> {
  const api = `${await cluster.serviceUrl('runtime')}/api/v1`
  const post = async (path: string, body: unknown): Promise<{ readonly flowId?: string }> => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${api}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as { flowId?: string }
  }
  const step = { id: 's', component: '/python/store_and_retrieve_blob', input: { data: { $input: 'data' } } }
  const { flowId } = await post('/flows', { flow: { name: 'warm', steps: [step], output: { $step: 's' } } })
  let left = 300
  const caller = async (): Promise<void> => {
    while (left-- > 0) await post('/runs', { flowId, input: [{ data: 'x'.repeat(2_000) }], wait: true })
  }
  await Promise.all([caller(), caller(), caller(), caller()])
}

t.test('process faults', async (t) => {
  await life(t, cluster, 'pod-killed', {}, /process is gone/, async ([pod]) => {
    t.notOk((await cluster.pods('component-server')).some(({ name }) => name === pod?.name))
  })
  await life(t, cluster, 'pod-killed', { role: 'balancer' }, /process is gone/)
  await life(t, cluster, 'pod-killed', { role: 'runtime' }, /process is gone/)
  await life(t, cluster, 'pod-stopped', { settings: { graceSeconds: 30 } }, /terminates|is gone/)
  await life(t, cluster, 'pod-stopped', { settings: { graceSeconds: 1 } }, /terminates|is gone/)
  await life(t, cluster, 'process-killed', {}, /started again \(1\)/)
  await life(t, cluster, 'process-killed', { settings: { signal: 'SIGTERM' } }, /started again/)
  await life(t, cluster, 'pod-frozen', {}, /does not answer/, async ([pod]) => {
    await t.rejects(answers(pod!, 200), 'its callers wait')
  })
  await life(t, cluster, 'crash-loop', {}, /started [2-9] times, not ready/)
  await life(t, cluster, 'slow-start', { settings: { delayMs: 900 } }, /not ready \d+ ms after its start/)
  await life(t, cluster, 'not-ready', {}, /is not ready/, async ([pod]) => {
    t.equal(await answers(pod!), 200, 'it works')
    const named = await cluster.resolve('component-server')
    t.equal(named.length, 2, `DNS leaves it out: ${named}`)
  })
})

t.test('resource faults', async (t) => {
  await life(t, cluster, 'cpu-starved', { settings: { share: 0.05, by: 'signals' } }, /livez took \d{2,} ms/)
  await life(t, cluster, 'cpu-starved', { settings: { share: 0.05 } }, /throttled|livez took/)
  await life(t, cluster, 'cpu-hog', { settings: { processes: 1 } }, /they took/)
  const why = limitsSupport(cluster)
  for (const name of ['memory-limited', 'out-of-memory', 'descriptors-exhausted']) seen.add(name)
  t.test('by limits', { skip: skipUnless('prlimit', why) }, async (t) => {
    await life(t, cluster, 'memory-limited', {}, /limited to \d+ MB/)
    const roles: readonly Role[] = ['component-server', 'balancer', 'runtime']
    for (const role of roles) {
      await warm()
      await life(t, cluster, 'out-of-memory', { role }, /died and started again/)
    }
    await t.test('what out-of-memory asks for ends no program that gets memory', async (t) => {
      for (const role of roles) {
        const [pod] = await cluster.waitReady(role)
        const asked = new UnreadAnswers(`${cluster.podAdminUrl(pod!)}/metrics`)
        t.teardown(() => asked.close())
        for (let i = 0; i < 20; i++) await asked.ask()
        t.ok(await isAlive(cluster, pod!, 5_000), `${role} answers`)
        t.equal((await podNow(cluster, pod!))?.restarts, pod!.restarts)
      }
    })
    await life(t, cluster, 'descriptors-exhausted', {}, /0 of \d+ descriptors free/, async ([pod]) => {
      await t.rejects(answers(pod!, 700), 'no new connection is served')
    })
  })
  seen.add('disk-full')
  const noDisk = faults['disk-full']?.supports(cluster) ?? null
  t.test('a full disk', { skip: skipUnless('root', noDisk) }, async (t) => {
    await life(t, cluster, 'disk-full', {}, /ENOSPC/, async ([pod]) => {
      const folder = cluster.hooks?.temporaryFolder?.(pod!.name) ?? ''
      t.throws(() => writeFileSync(join(folder, 'file'), 'x'.repeat(10_000)), { code: 'ENOSPC' })
    })
  })
})

t.test('network faults, on the way to the component servers', async (t) => {
  await whileCalling(cluster, async () => {
    for (const [name, settings, evidence] of networkFaults) {
      await life(t, cluster, name, { settings }, evidence)
    }
  })
})

t.test('DNS faults', async (t) => {
  await life(t, cluster, 'dns-failing', {}, /failed/)
  await life(t, cluster, 'dns-empty', {}, /without addresses/)
  await life(t, cluster, 'dns-stale', {}, /where nobody is/)
  await life(t, cluster, 'dns-slow', { settings: { delayMs: 300 } }, /took \d{3,} ms/)
})

t.test('a wrong clock', async (t) => {
  await life(t, cluster, 'clock-skewed', { settings: { offsetSeconds: -7_200 } }, /-7200 s ahead/)
})

t.test('operations', async (t) => {
  await life(t, cluster, 'scale-storm', { settings: { most: 4, everyMs: 300 } }, /sizes \d, \d/)
  await life(t, cluster, 'node-drained', { pods: 2 }, /terminates|is gone/)
  await life(t, cluster, 'rolling-restart', { role: 'balancer' }, /is new/)
})

t.test('none is left out', async (t) => {
  t.same(Object.keys(faults).sort(), [...seen].sort())
})

t.test('a fault that does not land says why, and is undone', async (t) => {
  const without = new Proxy(cluster, {
    get: (of, key) => {
      const value: unknown = key === 'hooks' ? {} : Reflect.get(of, key, of)
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
  const impossible = await inject(without, 'latency')
  t.match(impossible.problem, /latency is not possible here: this cluster has no proxies/)
  const runtime = await inject(cluster, 'latency', { role: 'runtime' })
  t.match(runtime.problem, /could not be injected: the way to runtime has no proxy/)
  t.equal(runtime.seen, null)
  t.match(await runtime.undo(), { problem: /runtime|sign/ })
})
