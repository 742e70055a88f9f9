// The whole system on a real cluster: deployed, scaled, killed, rolled, drained and autoscaled, and every run judged.

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Role } from '../../contracts/cluster.ts'
import type { Results } from '../../contracts/results.ts'
import { type Call, calls } from '../../harness/cluster/kubernetes/calls.ts'
import { startKubernetesCluster } from '../../harness/cluster/kubernetes/index.ts'
import { createEmbeddedEngine } from '../../harness/load/index.ts'
import { builtInWorkload } from '../../harness/scenario/workloads.ts'
import { env, root, run, skip } from './cluster.ts'

t.setTimeout(1_800_000)
const out = mkdtempSync(join(tmpdir(), 'stepflow-gauntlet-kubernetes-'))
t.teardown(() => rmSync(out, { recursive: true, force: true }))

/** INVALID says that the machine stood in the way: that is tried again, a FAIL is not. */
const attempts = 3

interface Ended {
  readonly code: number | null
  readonly output: string
  readonly results: Results
}

/** @param experiment an experiment's name, for the scenario of that name */
function runScenario(
  scenario: string,
  more: Readonly<Record<string, string>> = {},
  experiment?: string,
): Promise<Ended> {
  const name = experiment ?? scenario
  const folder = mkdtempSync(join(out, `${name}-`))
  const file = join(root, `scenarios/${scenario}.mjs`)
  const own = experiment === undefined ? [] : [join(root, `experiments/${experiment}.yaml`)]
  const child = spawn(process.execPath, [file, ...own, '--cluster', 'kubernetes', '--out', folder], {
    cwd: root,
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return new Promise((resolve, reject) =>
    child.on('close', (code) => {
      const [report] = readdirSync(folder).filter((entry) => entry.endsWith(`-${name}`))
      if (report === undefined)
        return reject(new Error(`no report of ${name}, exit code ${code}:\n${output}`))
      const results = JSON.parse(readFileSync(join(folder, report, 'results.json'), 'utf8')) as Results
      resolve({ code, output, results })
    }),
  )
}

async function passes(
  t: Test,
  name: string,
  more: Readonly<Record<string, string>> = {},
  experiment?: string,
): Promise<void> {
  let ended = await runScenario(name, more, experiment)
  for (let attempt = 2; ended.code === 3 && attempt <= attempts; attempt++)
    ended = await runScenario(name, more, experiment)
  t.equal(ended.code, 0, `${experiment ?? name}: ${ended.results.verdict}`)
  if (ended.code !== 0) t.comment(ended.output.slice(-3_000))
  t.equal(ended.results.environment.cluster, 'kubernetes', 'the report says Kubernetes')
  t.ok(ended.results.environment.clusterDescription['load reaches the pods'], 'and how load reached the pods')
}

t.test('images and the demo overlay, twice: the second time changes nothing', { skip }, async (t) => {
  run(process.execPath, ['images/main.ts'])
  run(process.execPath, ['harness/cli/deploy.ts', '--overlay', 'demo'])
  t.match(
    run(process.execPath, ['harness/cli/deploy.ts', '--overlay', 'demo']),
    /applied: 0 of \d+ objects changed/,
  )
})

t.test(
  'the harness’s account may make every call that the driver declares, and nothing else',
  { skip },
  async (t) => {
    const asHarness = ['--as=system:serviceaccount:stepflow-demo:stepflow-harness']
    const mayDo = (call: Call, namespace = 'stepflow-demo', name = call.names?.[0]): boolean => {
      const [resource = '', subresource] = call.resource.split('/')
      const full = call.group === '' ? resource : `${resource}.${call.group}`
      const words = [
        'auth',
        'can-i',
        call.verb,
        name === undefined ? full : `${full}/${name}`,
        '-n',
        namespace,
      ]
      if (subresource !== undefined) words.push(`--subresource=${subresource}`)
      try {
        return run('kubectl', [...words, ...asHarness]).trim() === 'yes'
      } catch {
        return false
      }
    }
    for (const [name, call] of Object.entries<Call>(calls)) {
      t.ok(
        mayDo(call, 'stepflow-demo', call.resource === 'namespaces' ? 'stepflow-demo' : call.names?.[0]),
        `may ${name}`,
      )
      t.notOk(mayDo(call, 'kube-system', call.names?.[0]), `may not ${name} elsewhere`)
    }
    const others: readonly Call[] = [
      { verb: 'create', group: '', resource: 'pods/exec' },
      { verb: 'create', group: '', resource: 'pods' },
      { verb: 'list', group: '', resource: 'secrets' },
      { verb: 'get', group: '', resource: 'secrets', names: ['another'] },
      { verb: 'patch', group: 'apps', resource: 'deployments', names: ['another'] },
      { verb: 'delete', group: 'apps', resource: 'deployments' },
      { verb: 'list', group: '', resource: 'nodes' },
      { verb: 'delete', group: '', resource: 'namespaces' },
      { verb: 'create', group: 'rbac.authorization.k8s.io', resource: 'rolebindings' },
    ]
    for (const call of others) t.notOk(mayDo(call), `may not ${call.verb} ${call.resource}`)
  },
)

t.test(
  'smoke passes with that account alone, and through ports that the API server forwards',
  { skip },
  async (t) => {
    const token = run('kubectl', ['create', 'token', 'stepflow-harness', '-n', 'stepflow-demo']).trim()
    const config = JSON.parse(run('kubectl', ['config', 'view', '--raw', '--minify', '-o', 'json'])) as {
      clusters: { name: string }[]
    }
    const [cluster] = config.clusters
    const context = { cluster: cluster?.name, user: 'harness' }
    const file = join(out, 'kubeconfig.json')
    writeFileSync(
      file,
      JSON.stringify({
        ...config,
        users: [{ name: 'harness', user: { token } }],
        contexts: [{ name: 'stepflow-test', context }],
        'current-context': 'stepflow-test',
      }),
      { mode: 0o600 },
    )
    await passes(t, 'smoke', { KUBECONFIG: file, KUBE_REACH: 'forward' })
  },
)

t.test('smoke passes inside the cluster, and its report comes here', { skip }, async (t) => {
  const output = run(process.execPath, ['harness/cli/in-cluster.ts', 'scenarios/smoke.mjs'])
  t.match(output, /^PASS {2}smoke/m)
  t.match(output, /^report: .*index\.html$/m)
  t.equal(
    run('kubectl', ['get', 'jobs', '-n', 'stepflow-demo', '-l', 'app=stepflow-harness', '-o', 'name']),
    '',
  )
})

t.test('affinity', { skip }, (t) => passes(t, 'affinity'))
t.test('kill-mid-sse', { skip }, (t) => passes(t, 'kill-mid-sse'))
t.test('scale', { skip }, (t) => passes(t, 'scale'))

/** Runs under which pods are rolled and drained. */
async function underLoad(
  t: Test,
  act: (cluster: Awaited<ReturnType<typeof startKubernetesCluster>>) => Promise<void>,
): Promise<void> {
  await using cluster = await startKubernetesCluster({}, env)
  await using engine = await createEmbeddedEngine()
  const target = { kind: 'runs', url: await cluster.serviceUrl('runtime') } as const
  const enough = new AbortController()
  const whole = { durationMs: 600_000 }
  const loads = Promise.all([
    engine.run({
      ...{ target, stop: enough.signal, requestPrefix: 'double' },
      workload: builtInWorkload('double', Math.random),
      profile: { kind: 'constant', rateRps: 20, ...whole },
    }),
    engine.run({
      ...{ target, stop: enough.signal, requestPrefix: 'hold' },
      workload: builtInWorkload('hold', Math.random, { holdMs: 500 }),
      profile: { kind: 'concurrent', users: 5, ...whole },
    }),
  ])
  try {
    await act(cluster)
  } finally {
    enough.abort()
  }
  for (const load of await loads) {
    t.ok(load.completed > 20, `${load.workload}: ${load.completed} completed`)
    t.same(
      [load.failed, load.refused, load.unknown, load.incorrect],
      [0, 0, 0, 0],
      JSON.stringify(load.errors),
    )
  }
}

t.test('no run fails while balancers and component servers are rolled', { skip }, (t) =>
  underLoad(t, async (cluster) => {
    for (const role of ['component-server', 'balancer'] as const) {
      const before = (await cluster.pods(role)).map(({ name }) => name)
      await cluster.rolloutRestart(role)
      const after = (await cluster.pods(role)).map(({ name }) => name)
      t.notOk(
        after.some((name) => before.includes(name)),
        `every pod of ${role} is another one`,
      )
    }
  }),
)

t.test('no run fails while their pods are evicted, and no budget is overdrawn', { skip }, (t) =>
  underLoad(t, async (cluster) => {
    const least = new Map<Role, number>()
    const stop = cluster.watch(() => {
      for (const role of ['component-server', 'balancer'] as const) {
        void cluster.pods(role).then((pods) => {
          const ready = pods.filter((pod) => pod.ready).length
          least.set(role, Math.min(least.get(role) ?? ready, ready))
        })
      }
    })
    for (const [role, replicas] of [
      ['component-server', 3],
      ['balancer', 2],
    ] as const) {
      const { refused } = await cluster.drain(role)
      t.ok(refused > 0, `${role}: ${refused} evictions were refused by the budget on the way`)
      t.ok(
        (least.get(role) ?? 0) >= replicas - 1,
        `${role}: at least ${least.get(role)} of ${replicas} were ready`,
      )
    }
    stop()
  }),
)

t.test("the runtime's own roll loses no run that it had taken", { skip }, (t) =>
  passes(t, 'experiment', {}, 'roll-runtime'),
)

t.test('autoscale', { skip }, (t) => passes(t, 'autoscale'))

t.test('network faults and exact moments of live streams, by the sidecar as a proxy', { skip }, async (t) => {
  run(process.execPath, ['harness/cli/deploy.ts', '--overlay', 'chaos'])
  await passes(t, 'experiment', {}, 'slow-network')
  await passes(t, 'experiment', {}, 'killed-before-callback')
  await using cluster = await startKubernetesCluster({}, env)
  t.same([...(cluster.hooks.links?.roles ?? [])].sort(), ['balancer', 'component-server', 'runtime'])
})
