// A script that uses the local cluster, for tests that end it: boots, says where, then waits to be ended.
//
// HOLD=stop: stops the cluster at SIGINT and SIGTERM as a careful script does. HOLD=boot: says so before the
// boot is over. HOLD=stdin: without the parent-death signal, as on macOS. Then it waits; a line on stdin is a
// cluster method to call, whose outcome it prints.

import { createInterface } from 'node:readline'
import { fakeCluster } from '../local-cluster-helpers.ts'

const say = (fields: object): void => void process.stdout.write(`${JSON.stringify(fields)}\n`)

if (process.env['HOLD'] === 'boot') say({ booting: true })
const cluster = await fakeCluster(
  { replicas: { balancer: 1, 'component-server': 1 } },
  { parentDeathSignal: process.env['HOLD'] !== 'stdin' },
)
if (process.env['HOLD'] === 'stop') {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => void cluster.stop().then(() => process.exit(signal === 'SIGINT' ? 130 : 143)))
  }
}
const [pod] = await cluster.pods('component-server')
const env = JSON.parse((await cluster.logs(pod!.name)).split('\n')[0]!).env as Record<string, string>
say({
  dns: cluster.description['dns'],
  folder: env['HISTORY_FILE']!.split('/history/')[0],
  pod: pod!.name,
})

for await (const line of createInterface({ input: process.stdin })) {
  const calls: Record<string, () => Promise<unknown>> = {
    freeze: () => cluster.signalPod(pod!.name, 'SIGSTOP'),
    pods: () => cluster.pods('runtime'),
    scale: () => cluster.scale('balancer', 3),
    waitReady: () => cluster.waitReady('balancer', { replicas: 9 }),
    stop: () => cluster.stop(),
  }
  await calls[line]!().then(
    () => say({ called: line }),
    (error: Error & { code?: string }) => say({ called: line, code: error.code, message: error.message }),
  )
}
