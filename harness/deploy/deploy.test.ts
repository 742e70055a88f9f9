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
const labels = (overlay: string) => ({
  'app.kubernetes.io/managed-by': 'stepflow-gauntlet',
  'stepflow-gauntlet/overlay': overlay,
})

/** A kubectl that notes what it is told, before a namespace into which `there` was put. */
function fakeKubectl(there: string, refused: string | null = null) {
  const told: string[] = []
  const kubectl: Kubectl = async ([verb = '', ...words], input = '') => {
    if (verb === refused) throw new GauntletError('ERR_CLUSTER', 'cut off')
    if (verb === 'kustomize') {
      const gpu = words[0]?.endsWith('gpu') === true
      return toYaml([namespace, service('pods'), ...(gpu ? [service('gpu-server')] : [])])
    }
    if (verb === 'get' && words[0] === 'namespace') {
      return JSON.stringify({ ...namespace, metadata: { ...namespace.metadata, labels: labels(there) } })
    }
    if (verb === 'get' && words[0] === 'secret') return 'secret/stepflow-agent'
    const objects = parseObjects(input)
    for (const { kind, metadata } of objects) {
      const overlay = metadata.labels?.['stepflow-gauntlet/overlay']
      if (verb !== 'get') told.push([verb, kind, overlay ?? metadata.name].join(' '))
    }
    return JSON.stringify({ items: [] })
  }
  return { kubectl, told }
}

const deployDemo = (kubectl: Kubectl) =>
  deploy({ kubectl, overlay: 'demo', timeoutMs: 5_000, say: () => undefined })

t.test('another overlay takes away what only the one before it had', async (t) => {
  const { kubectl, told } = fakeKubectl('gpu')
  await deployDemo(kubectl)
  t.same(told, [
    'apply Namespace gpu',
    'apply Namespace gpu',
    'apply Service pods',
    'delete Service gpu-server',
    'apply Namespace demo',
  ])
})

t.test('cut off on the way, the next deploy still knows what to take away', async (t) => {
  const cut = fakeKubectl('gpu', 'delete')
  await t.rejects(deployDemo(cut.kubectl), { message: /cut off/ })
  t.notOk(cut.told.includes('apply Namespace demo'))
})

t.test('the same overlay takes away nothing', async (t) => {
  const { kubectl, told } = fakeKubectl('demo')
  await deployDemo(kubectl)
  t.notMatch(told.join(), /delete/)
})
