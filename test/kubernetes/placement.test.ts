// The scenario `placement` on a real cluster with the overlay `gpu` and a pretended GPU, and what it must not let pass.

import t from 'tap'
import type { Results } from '../../contracts/results.ts'
import { type PodTemplate, tryPlacements, type Workload } from '../../harness/cluster/kubernetes/placement.ts'
import { readTemplates } from '../../harness/cluster/kubernetes/templates.ts'
import { createKubectl } from '../../harness/deploy/kubectl.ts'
import { judgePlacements } from '../../harness/scenario/asked.ts'
import { run, skip } from './cluster.ts'

t.setTimeout(600_000)
const kubectl = createKubectl(null)
const names = ['capacity', 'allocatable'].map((list) => `/status/${list}/nvidia.com~1gpu`)
const patchNode = (node: string, op: 'add' | 'remove'): string =>
  run('kubectl', [
    ...['patch', 'node', node, '--subresource=status', '--type=json', '-p'],
    JSON.stringify(names.map((path) => ({ op, path, ...(op === 'add' ? { value: '1' } : {}) }))),
  ])

t.test('each pod lands where it must, and the GPU pool gets its calls', { skip }, async (t) => {
  const node = run('kubectl', ['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}'])
  t.teardown(() => {
    run('kubectl', ['label', 'node', node, 'nvidia.com/gpu.present-'])
    patchNode(node, 'remove')
  })
  run('kubectl', ['label', '--overwrite', 'node', node, 'nvidia.com/gpu.present=true'])
  patchNode(node, 'add')
  run(process.execPath, ['images/main.ts'])
  run(process.execPath, ['harness/cli/deploy.ts', '--overlay', 'gpu'])
  // As a harness leaves it that was killed.
  const left = { name: 'stepflow-placement-left', labels: { 'stepflow-gauntlet/pretended': 'left' } }
  const killed = JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: left })
  await kubectl(['create', '-f', '-'], killed)
  const words = ['--cluster', 'kubernetes', '--json', '--out', t.testdir({})]
  const results = JSON.parse(run(process.execPath, ['scenarios/placement.mjs', ...words])) as Results
  t.equal(results.verdict, 'PASS')
  const [scenario] = results.scenarios
  t.same(
    scenario?.judgements.map(({ name }) => name),
    ['placement-pretended', 'placement', 'pool-calls'],
  )
  t.equal(scenario?.figures.filter(({ note }) => note === 'pretended nodes').length, 10)
  const now = run('kubectl', ['get', 'nodes,namespaces', '-o', 'name'])
  t.notMatch(now, /stepflow-placement/, 'nothing is left of it')

  t.test('a pool that lost one of its rules is found out', async (t) => {
    const templates = await readTemplates(kubectl, 'stepflow-demo')
    const gpu = templates['gpu-server']
    const container = (gpu.spec['containers'] as readonly { readonly resources: object }[])[0]
    for (const [defect, template] of [
      ['no toleration', { ...gpu, spec: { ...gpu.spec, tolerations: [] } }],
      ['no affinity', { ...gpu, spec: { ...gpu.spec, affinity: {} } }],
      ['no GPU asked for', { ...gpu, spec: { ...gpu.spec, containers: [{ ...container, resources: {} }] } }],
    ] as const satisfies readonly (readonly [string, PodTemplate])[]) {
      const with_: Readonly<Record<Workload, PodTemplate>> = { ...templates, 'gpu-server': template }
      const [judged] = judgePlacements(await tryPlacements({ kubectl, templates: with_, patienceMs: 4_000 }))
      t.equal(judged?.outcome, 'fail', `${defect}: ${judged?.examples?.[0]}`)
    }
  })
})
