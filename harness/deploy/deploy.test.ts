import t from 'tap'
import { GauntletError } from '../../contracts/errors.ts'
import { deploy } from './deploy.ts'
import type { Kubectl } from './kubectl.ts'
import { type KubernetesObject, parseObjects, toYaml } from './render.ts'

const namespace: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'stepflow-demo' },
}
const service = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'stepflow-demo' },
})
/** A kubectl that notes what it is told, before a namespace of the overlay `label` that has those of `overlays`. */
function fakeKubectl(label: string, overlays: string | null, refused: string | null = null) {
  const told: string[] = []
  const metadata = {
    ...namespace.metadata,
    labels: { 'app.kubernetes.io/managed-by': 'stepflow-gauntlet', 'stepflow-gauntlet/overlay': label },
    ...(overlays === null ? {} : { annotations: { 'stepflow-gauntlet/overlays': overlays } }),
  }
  const kubectl: Kubectl = async ([verb = '', ...words], input = '') => {
    if (verb === refused) throw new GauntletError('ERR_CLUSTER', 'cut off')
    if (verb === 'kustomize') {
      const gpu = words[0]?.endsWith('gpu') === true
      return toYaml([namespace, service('pods'), ...(gpu ? [service('gpu-server')] : [])])
    }
    if (verb === 'get' && words[0] === 'namespace') return JSON.stringify({ ...namespace, metadata })
    if (verb === 'get' && words[0] === 'secret') return 'secret/stepflow-agent'
    for (const { kind, metadata: of } of parseObjects(input)) {
      const inIt = of.annotations?.['stepflow-gauntlet/overlays']
      if (verb !== 'get') told.push([verb, kind, inIt ?? of.name].join(' '))
    }
    return JSON.stringify({ items: [] })
  }
  return { kubectl, told }
}

const deployDemo = (kubectl: Kubectl) =>
  deploy({ kubectl, overlay: 'demo', timeoutMs: 5_000, say: () => undefined })

t.test('another overlay takes away what only the one before it had', async (t) => {
  const { kubectl, told } = fakeKubectl('gpu', null)
  await deployDemo(kubectl)
  t.same(told, [
    'apply Namespace demo,gpu',
    'apply Namespace demo,gpu',
    'apply Service pods',
    'delete Service gpu-server',
    'apply Namespace demo',
  ])
})

t.test('cut off on the way, the next deploy of any overlay still knows what to take away', async (t) => {
  const cut = fakeKubectl('gpu', 'gpu', 'delete')
  await t.rejects(deployDemo(cut.kubectl), { message: /cut off/ })
  t.equal(cut.told.at(-1), 'apply Service pods')
  const back = fakeKubectl('demo', 'demo,gpu')
  await deployDemo(back.kubectl)
  t.same(back.told.slice(-2), ['delete Service gpu-server', 'apply Namespace demo'])
})

t.test('the same overlay takes away nothing', async (t) => {
  const { kubectl, told } = fakeKubectl('demo', 'demo')
  await deployDemo(kubectl)
  t.notMatch(told.join(), /delete/)
})
