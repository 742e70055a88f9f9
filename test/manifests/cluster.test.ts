// The manifests on a real cluster: admission, the debugging commands, roles, GPU placement and routing, local state.
// Each part has a namespace of its own; the node gets a label and a pretended GPU, and loses them again.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { skipUnless } from '../skip.ts'

const root = join(import.meta.dirname, '../..')
const image = process.env['TEST_IMAGE'] ?? 'stepflow-gauntlet:0.1.0'
const run = `sfm-${process.pid}`

interface Answer {
  readonly status: number | null
  /** What it printed. */
  readonly out: string
  /** The same without warnings and errors. */
  readonly stdout: string
}

function kubectl(args: readonly string[], input?: string): Answer {
  const { status, stdout, stderr } = spawnSync('kubectl', args, {
    encoding: 'utf8',
    timeout: 150_000,
    input: input ?? '',
  })
  return { status, stdout: stdout ?? '', out: `${stdout ?? ''}${stderr ?? ''}` }
}

function must(args: readonly string[], input?: string): string {
  const { status, out, stdout } = kubectl(args, input)
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${out}`)
  return stdout
}

/** Why this cannot run here; null: it can. */
function lacking(): string | null {
  const nodes = kubectl([
    'get',
    'nodes',
    '-o',
    'jsonpath={.items[*].status.images[*].names}',
    '--request-timeout=5s',
  ])
  if (nodes.status !== 0) return 'kubectl reaches no cluster'
  return nodes.out.includes(image) ? null : `the nodes have no ${image}: npm run images`
}

/** Base and components, in another namespace, with the image under test. */
function render(namespace: string, components: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'manifests-'))
  try {
    const at = join(folder, 'k')
    mkdirSync(at)
    const from = (path: string): string => JSON.stringify(relative(at, join(root, 'k8s', path)))
    writeFileSync(
      join(at, 'kustomization.yaml'),
      `namespace: stepflow-demo\nresources: [${from('base')}]\ncomponents: [${components.map((one) => from(`components/${one}`)).join(', ')}]\n`,
    )
    return execFileSync('kubectl', ['kustomize', at], { encoding: 'utf8' })
      .replaceAll('stepflow-demo', namespace)
      .replaceAll('image: stepflow-gauntlet:0.1.0', `image: ${image}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Asks again until `value` satisfies `wanted`; then, or after 60 s, what it was last. */
async function eventually(value: () => string, wanted: RegExp): Promise<string> {
  const until = performance.now() + 60_000
  for (;;) {
    const last = value()
    if (wanted.test(last) || performance.now() > until) return last
    await delay(500)
  }
}

const reason = lacking()
t.test('manifests on a cluster', { skip: skipUnless('kubernetes', reason) }, async (t) => {
  const demo = `${run}-demo`
  const node = must(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}'])
  const gpu = '/status/capacity/nvidia.com~1gpu'
  const allocatable = '/status/allocatable/nvidia.com~1gpu'
  const patchNode = (operations: readonly unknown[]): string =>
    must(['patch', 'node', node, '--subresource=status', '--type=json', '-p', JSON.stringify(operations)])
  t.teardown(() => {
    kubectl(['label', 'node', node, 'nvidia.com/gpu.present-'])
    kubectl([
      ...['patch', 'node', node, '--subresource=status', '--type=json', '-p'],
      JSON.stringify([
        { op: 'remove', path: gpu },
        { op: 'remove', path: allocatable },
      ]),
    ])
    kubectl(['delete', 'namespace', demo, `${run}-state`, '--wait=false', '--ignore-not-found'])
    kubectl(['delete', 'pv', '-l', `test=${run}`, '--wait=false'])
  })

  must(['apply', '-f', '-'], render(demo, ['rbac', 'gpu']))
  const inDemo = (...args: string[]): string => must(['-n', demo, ...args])
  for (const app of ['component-server', 'pingora-lb', 'stepflow-server'])
    inDemo('rollout', 'status', `deployment/${app}`, '--timeout=120s')

  t.test('the namespace turns away what restricted forbids', async (t) => {
    const pod = kubectl(['-n', demo, 'run', 'bad', `--image=${image}`, '--privileged', '--dry-run=server'])
    t.not(pod.status, 0)
    t.match(pod.out, /violates PodSecurity "restricted:latest"/)
    t.match(pod.out, /privileged/)
  })

  t.test('the debugging commands show what the architecture document says', async (t) => {
    const addresses = (service: string): number =>
      inDemo('get', 'endpoints', service, '-o', 'jsonpath={.subsets[*].addresses[*].ip}')
        .split(' ')
        .filter((word) => /^\d+\.\d+\.\d+\.\d+$/.test(word)).length
    t.equal(addresses('component-server'), 3)
    t.equal(addresses('pingora-lb'), 2)
    for (const app of ['component-server', 'pingora-lb', 'stepflow-server'])
      t.match(inDemo('logs', '-l', `app=${app}`, '--tail=100'), /"program":/, app)
    for (const service of ['component-server', 'pingora-lb']) {
      // curlimages/curl is in no registry here: Node in our own image asks instead, from `default` as there.
      const url = `http://${service}.${demo}.svc.cluster.local:8080/health`
      const script = `fetch('${url}').then(async (a) => { console.log(a.status, await a.text()) })`
      const name = `debug-${process.pid}-${service}`
      const said = must([
        ...['run', name, '--rm', '-i', '--restart=Never', `--image=${image}`, '--', '-e', script],
      ])
      t.match(said, /^200 .*"healthy"/m, service)
    }
  })

  t.test('a balancer may watch the EndpointSlices of its namespace and nothing else', async (t) => {
    const can = (account: string, ...args: string[]): string =>
      kubectl(['auth', 'can-i', ...args, `--as=system:serviceaccount:${demo}:${account}`]).out.split(
        '\n',
      )[0] ?? ''
    for (const verb of ['get', 'list', 'watch'])
      t.equal(can('pingora-lb', verb, 'endpointslices.discovery.k8s.io', '-n', demo), 'yes', verb)
    for (const [verb, resource, namespace] of [
      ['create', 'endpointslices.discovery.k8s.io', demo],
      ['list', 'endpointslices.discovery.k8s.io', 'default'],
      ['list', 'pods', demo],
      ['get', 'secrets', demo],
      ['delete', 'pods', demo],
      ['get', 'nodes', demo],
    ] as const)
      t.equal(can('pingora-lb', verb, resource, '-n', namespace), 'no', `${verb} ${resource} in ${namespace}`)
    for (const account of ['stepflow-server', 'component-server', 'default'])
      t.equal(can(account, 'list', 'endpointslices.discovery.k8s.io', '-n', demo), 'no', account)
    t.match(inDemo('logs', '-l', 'app=pingora-lb', '--tail=-1'), /pod found/)
    t.notMatch(inDemo('logs', '-l', 'app=pingora-lb', '--tail=-1'), /watching pods failed.*403/)
  })

  t.test('a GPU pod waits for the stated reason, then lands on its node and gets its calls', async (t) => {
    const why = (): string =>
      inDemo(
        'get',
        'pods',
        '-l',
        'app=gpu-server',
        '-o',
        'jsonpath={.items[*].status.phase} {.items[*].status.conditions[?(@.type=="PodScheduled")].message}',
      )
    t.match(await eventually(why, /affinity/), /^Pending .*didn't match Pod's node affinity/)
    must(['label', 'node', node, 'nvidia.com/gpu.present=true'])
    t.match(await eventually(why, /Insufficient/), /^Pending .*Insufficient nvidia\.com\/gpu/)
    patchNode([
      { op: 'add', path: gpu, value: '1' },
      { op: 'add', path: allocatable, value: '1' },
    ])
    inDemo('rollout', 'status', 'deployment/gpu-server', '--timeout=120s')
    t.equal(inDemo('get', 'pods', '-l', 'app=gpu-server', '-o', 'jsonpath={.items[*].spec.nodeName}'), node)

    // From inside, through runtime and balancers: 20 calls of gpu_info, and one of an ordinary component.
    const script = `
      const base = 'http://127.0.0.1:7840/api/v1'
      const post = async (path, body) => (await fetch(base + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json()
      const call = async (component, input) => {
        const { flowId } = await post('/flows', { flow: { steps: [{ id: 'a', component, input: { $from: { workflow: 'input' } } }], output: { $from: { step: 'a' } } } })
        return JSON.stringify((await post('/runs', { flowId, input })).result)
      }
      for (let n = 0; n < 20; n++) console.log(await call('/python/gpu_info', {}))
      console.log(await call('/python/double', { value: 21 }))`
    const said = await eventually(
      () =>
        kubectl([
          '-n',
          demo,
          'exec',
          'deployment/stepflow-server',
          '--',
          '/usr/bin/node',
          '--input-type=module',
          '-e',
          script,
        ]).out,
      /gpu-server/,
    )
    const lines = said.trim().split('\n')
    t.equal(lines.filter((line) => /"pod":"gpu-server-/.test(line)).length, 20, said)
    t.match(lines.at(-1), /"result":42/)
    // A second one finds no GPU left.
    inDemo('scale', 'deployment/gpu-server', '--replicas=2')
    t.match(await eventually(why, /Insufficient/), /Pending.*Insufficient nvidia\.com\/gpu/s)
  })

  t.test('component servers as a StatefulSet keep their files under their names', async (t) => {
    const namespace = `${run}-state`
    for (const index of [0, 1, 2]) {
      must(
        ['apply', '-f', '-'],
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name: `${run}-${index}`, labels: { test: run } },
          spec: {
            capacity: { storage: '1Gi' },
            accessModes: ['ReadWriteOnce'],
            storageClassName: '',
            claimRef: { namespace, name: `state-component-server-${index}` },
            hostPath: { path: `/tmp/${run}/${index}`, type: 'DirectoryOrCreate' },
          },
        }),
      )
      mkdirSync(`/tmp/${run}/${index}`, { recursive: true, mode: 0o777 })
      // The umask has a say in mkdir's mode.
      execFileSync('chmod', ['777', `/tmp/${run}/${index}`])
    }
    t.teardown(() => rmSync(`/tmp/${run}`, { recursive: true, force: true }))
    must(['apply', '-f', '-'], render(namespace, ['rbac', 'stateful']))
    must(['-n', namespace, 'rollout', 'status', 'statefulset/component-server', '--timeout=120s'])
    must(['-n', namespace, 'rollout', 'status', 'deployment/pingora-lb', '--timeout=60s'])
    const node = (script: string): string =>
      must([
        '-n',
        namespace,
        'exec',
        'component-server-1',
        '-c',
        'component-server',
        '--',
        '/usr/bin/node',
        '-e',
        script,
      ])
    node(`require('fs').writeFileSync(process.env.STATE_FOLDER + '/seen', process.env.POD_NAME)`)
    const uid = (): string =>
      kubectl(['-n', namespace, 'get', 'pod', 'component-server-1', '-o', 'jsonpath={.metadata.uid}']).out
    const before = uid()
    must(['-n', namespace, 'delete', 'pod', 'component-server-1', '--timeout=60s'])
    must(['-n', namespace, 'wait', 'pod/component-server-1', '--for=condition=Ready', '--timeout=60s'])
    t.not(uid(), before)
    t.equal(
      node(`console.log(require('fs').readFileSync(process.env.STATE_FOLDER + '/seen', 'utf8'))`).trim(),
      'component-server-1',
    )
  })
})
