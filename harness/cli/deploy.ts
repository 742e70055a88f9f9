// `npm run deploy` and `npm run undeploy`: put the system into a cluster, and take it away.

import { readArgs } from '../../contracts/args.ts'
import { GauntletError } from '../../contracts/errors.ts'
import { exitCodes } from '../../contracts/exit-codes.ts'
import { connect } from '../cluster/kubernetes/connect.ts'
import { readSettings } from '../cluster/kubernetes/settings.ts'
import { deploy, overlays, undeploy } from '../deploy/deploy.ts'
import { createKubectl } from '../deploy/kubectl.ts'

const help = `Usage: npm run deploy -- [--overlay NAME] [--timeout SECONDS]
       npm run undeploy -- [--timeout SECONDS]

deploy renders an overlay of k8s/overlays with kubectl, puts the tags of the images that npm run images built into it,
applies it, and waits until everything is ready; where something does not come, it tells the events and the log.
undeploy removes the namespace and what the overlay made outside of it. Both may be repeated.

Options:
  --overlay NAME     ${overlays().join(', ')} [default demo]
  --timeout SECONDS  How long to wait [default 180]
  -h, --help         Print this text and exit

KUBE_CONTEXT and KUBE_ALLOW_CONTEXTS choose the cluster: docs/kubernetes.md.
`

async function main(): Promise<void> {
  const { values, positionals } = readArgs({
    allowPositionals: true,
    options: {
      overlay: { type: 'string', default: 'demo' },
      timeout: { type: 'string', default: '180' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return
  }
  const timeoutMs = Number(values.timeout) * 1000
  if (!(timeoutMs > 0)) {
    throw new GauntletError('ERR_FLAG_VALUE', `got ${values.timeout}`, {
      field: '--timeout',
      fix: 'use a number of seconds',
    })
  }
  const settings = readSettings(process.env)
  const { context, inCluster } = connect(settings)
  const kubectl = createKubectl(inCluster ? null : context)
  const startedAt = performance.now()
  const say = (text: string): void =>
    console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`)
  say(`context ${context}`)
  if (positionals[0] === 'undeploy') {
    await undeploy({ kubectl, say, timeoutMs, namespace: settings.namespace })
  } else {
    await deploy({ kubectl, say, timeoutMs, overlay: values.overlay })
    say('ready: npx zx scenarios/smoke.mjs --cluster kubernetes')
  }
}

main().catch((error: unknown) => {
  const known = error instanceof GauntletError
  process.stderr.write(`${known ? `error: ${error.message}` : ((error as Error).stack ?? error)}\n`)
  process.exitCode = !known
    ? exitCodes.harness
    : error instanceof GauntletError && error.code === 'ERR_CLUSTER'
      ? exitCodes.fail
      : exitCodes.usage
})
