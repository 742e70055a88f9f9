// `npm run in-cluster -- scenarios/NAME.mjs [options]`: runs a scenario as a Job of the cluster, writes its report here.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { GauntletError } from '../../contracts/errors.ts'
import { exitCodes } from '../../contracts/exit-codes.ts'
import { parseResults, renderTable, writeReport } from '../../reports/index.ts'
import { connect } from '../cluster/kubernetes/connect.ts'
import { readSettings } from '../cluster/kubernetes/settings.ts'
import { builtImages } from '../deploy/deploy.ts'
import { harnessJob, resultsLine } from '../deploy/job.ts'
import { createKubectl, type Kubectl } from '../deploy/kubectl.ts'
import { toYaml } from '../deploy/render.ts'

const imageName = 'stepflow-gauntlet-harness'
const startTimeoutMs = 60_000
const pollMs = 500

const help = `Usage: npm run in-cluster -- scenarios/NAME.mjs [options of the scenario]

Runs the scenario in a Job of the cluster, under the account of k8s/components/harness, so that its load goes straight
to the pods; the report comes here. The exit code is the scenario's. --cluster, --json and --out are set.
`

async function main(args: readonly string[]): Promise<number> {
  const [scenario] = args
  if (scenario === undefined || scenario === '--help' || scenario === '-h') {
    process.stdout.write(help)
    return scenario === undefined ? exitCodes.usage : exitCodes.pass
  }
  if (!scenario.endsWith('.mjs')) {
    throw new GauntletError('ERR_FLAG_VALUE', 'is no scenario', {
      field: scenario,
      fix: 'name one first, e.g. scenarios/smoke.mjs',
    })
  }
  const settings = readSettings(process.env)
  const { context } = connect(settings)
  const kubectl = createKubectl(context)
  const image = builtImages().find(({ name }) => name === imageName)
  if (image === undefined) {
    throw new GauntletError('ERR_ENVIRONMENT', 'is not built', {
      field: imageName,
      fix: 'run npm run images',
    })
  }
  const { namespace } = settings
  const name = `stepflow-harness-${randomBytes(4).toString('hex')}`
  const job = harnessJob({ name, namespace, image: `${imageName}:${image.tag}`, args })
  await kubectl(['create', '-f', '-'], toYaml([job]))
  /** Foreground: the Job goes after its pod, so that one awaits both; an interruption leaves that to the cluster. */
  const remove = ({ awaited }: { readonly awaited: boolean }): Promise<string> =>
    kubectl([
      'delete',
      'job',
      name,
      '-n',
      namespace,
      '--cascade=foreground',
      ...(awaited ? ['--wait=true', '--timeout=60s'] : ['--wait=false']),
      '--ignore-not-found',
    ])
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      const code = signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated
      void remove({ awaited: false }).finally(() => process.exit(code))
    })
  }
  try {
    await untilStarted(kubectl, namespace, name)
    // Follows until the container ends; without a limit of its own, for scenarios may take an hour.
    const log = await kubectl(['logs', '-f', `job/${name}`, '-n', namespace], '', (text) => {
      for (const line of text.split('\n')) {
        if (line !== '' && line.length < 400 && !line.startsWith('{')) process.stderr.write(`${line}\n`)
      }
    })
    const results = resultsLine(log)
    if (results !== null) {
      const report = parseResults(results)
      const paths = await writeReport(report, { outDirectory: join(process.cwd(), 'reports/out') })
      process.stdout.write(`\n${renderTable(report, { colour: process.stdout.isTTY === true })}\n`)
      process.stdout.write(`report: ${paths.html}\n`)
    }
    return await exitCode(kubectl, namespace, name)
  } finally {
    await remove({ awaited: true })
  }
}

interface HarnessPod {
  readonly status?: {
    readonly phase?: string
    readonly containerStatuses?: readonly {
      readonly state?: {
        readonly waiting?: { readonly reason?: string; readonly message?: string }
        readonly terminated?: { readonly exitCode?: number }
      }
    }[]
  }
}

async function podOf(kubectl: Kubectl, namespace: string, name: string): Promise<HarnessPod | undefined> {
  const text = await kubectl(['get', 'pods', '-n', namespace, '-l', `job-name=${name}`, '-o', 'json'])
  return (JSON.parse(text) as { readonly items: readonly HarnessPod[] }).items[0]
}

/** @throws GauntletError ERR_CLUSTER with the reason why it does not start */
async function untilStarted(kubectl: Kubectl, namespace: string, name: string): Promise<void> {
  const deadline = performance.now() + startTimeoutMs
  for (;;) {
    const pod = await podOf(kubectl, namespace, name)
    const phase = pod?.status?.phase
    if (phase === 'Running' || phase === 'Succeeded' || phase === 'Failed') return
    if (performance.now() > deadline) {
      const waiting = pod?.status?.containerStatuses?.[0]?.state?.waiting
      const why =
        waiting === undefined ? 'no pod was made or scheduled' : `${waiting.reason}: ${waiting.message ?? ''}`
      throw new GauntletError('ERR_CLUSTER', `does not start: ${why}`, {
        field: `job ${name}`,
        fix: 'run npm run images and npm run deploy first',
      })
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

/** The container's, once it is known: the log ends a moment before. */
async function exitCode(kubectl: Kubectl, namespace: string, name: string): Promise<number> {
  const deadline = performance.now() + startTimeoutMs
  while (performance.now() < deadline) {
    const code = (await podOf(kubectl, namespace, name))?.status?.containerStatuses?.[0]?.state?.terminated
      ?.exitCode
    if (code !== undefined) return code
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  return exitCodes.harness
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    const known = error instanceof GauntletError
    process.stderr.write(`${known ? `error: ${error.message}` : ((error as Error).stack ?? error)}\n`)
    process.exitCode = known ? exitCodes.usage : exitCodes.harness
  },
)
