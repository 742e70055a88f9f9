// The scenario `network` on a real cluster. Where that enforces policies, it must pass, and policies with a defect must
// not; where it does not, the scenario must say so.

import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { tryFlows } from '../../harness/cluster/kubernetes/flows.ts'
import { createKubectl } from '../../harness/deploy/kubectl.ts'
import { judgeFlows } from '../../harness/scenario/asked.ts'
import { env, root, run, skip } from '../kubernetes/cluster.ts'
import { skipUnless } from '../skip.ts'

t.setTimeout(600_000)
const notEnforced = /enforces no NetworkPolicy/

t.test('who can and who cannot talk', { skip }, async (t) => {
  run(process.execPath, ['images/main.ts'])
  run(process.execPath, ['harness/cli/deploy.ts', '--overlay', 'demo'])
  const words = ['scenarios/network.mjs', '--cluster', 'kubernetes', '--out', t.testdirName]
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: root, env, encoding: 'utf8' })
  const out = stdout + stderr
  const open = notEnforced.test(out)
  t.equal(status, open ? 3 : 0, out)
  t.match(out, open ? /INVALID {2}network/ : /PASS {2}network/)
  t.notMatch(out, /flows-allowed: (fail|unknown)/, 'every flow of the matrix gets through')
  t.notMatch(run('kubectl', ['get', 'namespaces', '-o', 'name']), /stepflow-network-\w+(-\w+)?$/m)

  const why = open ? 'the cluster enforces no NetworkPolicy' : null
  t.test('a policy with a defect is found out', { skip: skipUnless('networkpolicy', why) }, async (t) => {
    const path = 'jsonpath={.spec.template.spec.containers[0].image}'
    const image = run('kubectl', ['get', 'deployment', 'component-server', '-n', 'stepflow-demo', '-o', path])
    for (const [defect, file, from, to, found] of [
      ['a flow is forgotten', 'component-server.yaml', 'app: pingora-lb', 'app: none', 'flows-allowed'],
      [
        'a port is left open',
        'component-server.yaml',
        '- { port: 8080, protocol: TCP }',
        '',
        'flows-refused',
      ],
      [
        'the default is forgotten',
        'default-deny.yaml',
        'podSelector: {}',
        'podSelector: { matchLabels: { app: none } }',
        'flows-refused',
      ],
    ] as const) {
      const policies = join(t.testdir({}), 'netpol')
      cpSync(join(root, 'k8s/components/netpol'), policies, { recursive: true })
      const text = readFileSync(join(policies, file), 'utf8')
      t.ok(text.includes(from))
      writeFileSync(join(policies, file), text.replace(from, to))
      const judged = judgeFlows(await tryFlows({ kubectl: createKubectl(null), image, policies }))
      const failed = judged.filter(({ outcome }) => outcome === 'fail')
      t.same(
        failed.map(({ name }) => name),
        [found],
        `${defect}: ${failed[0]?.examples?.[0]}`,
      )
    }
  })
})
