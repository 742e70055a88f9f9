// The node agent's process: kubelet, controllers, CoreDNS and kube-proxy of a local cluster in one.
//
//   harness ──IPC──> agent.ts ──> node-agent.ts ──> controller.ts: how many pods, which to remove
//                                      │        └─> pod-process.ts: launch, probe, restart, terminate
//                                      └─> dns-server.ts, service-proxy.ts: follow the ready pods
//
// It lives as long as the IPC channel: when the harness ends, however it does, everything here ends too.

import { NodeAgent } from './node-agent.ts'
import { type FromAgent, Refused, type Replies, type Request, type ToAgent } from './protocol.ts'

/** Killed processes are gone at once, unless the kernel is busy writing their core or memory. */
const stopTimeoutMs = 5_000

let agent: NodeAgent | null = null
let ending = false

function send(message: FromAgent): void {
  if (process.connected) process.send?.(message)
}

function log(event: string, fields: object): void {
  process.stderr.write(`${JSON.stringify({ program: 'node-agent', event, ...fields })}\n`)
}

async function answer(request: Request): Promise<Replies[Request['kind']]> {
  if (request.kind === 'boot') {
    agent = await NodeAgent.boot({
      plan: request.plan,
      random: Math.random,
      log,
      onPod: (event, status) => send({ kind: 'pod', event, status }),
      onStatus: (name, status) => send({ kind: 'status', name, status }),
    })
    return agent.booted
  }
  if (request.kind === 'stop') {
    await agent?.stop()
    return null
  }
  if (agent === null) throw new Refused({ code: 'ERR_CLUSTER', problem: 'the cluster is not booted' })
  switch (request.kind) {
    case 'scale':
      agent.scale(request.role, request.replicas)
      return null
    case 'delete':
      await agent.delete(request.name, request.gracePeriodMs)
      return null
    case 'signal':
      agent.signal(request.name, request.signal)
      return null
    case 'rollout':
      return agent.rollout(request.role)
    case 'unready':
      agent.holdUnready(request.name, request.held)
      return null
    case 'nodeArgs':
      agent.nodeArgs(request.name, request.args)
      return null
    case 'dns':
      agent.breakDns(request.effect)
      return null
    case 'link.add':
      return agent.links.add(request.aim, request.effect, request.seed)
    case 'link.remove':
      agent.links.remove(request.id)
      return null
    case 'link.report':
      return agent.links.report(request.id)
    case 'link.entrance':
      return agent.links.entrance(request.pod)
    case 'link.moment':
      return agent.links.moment(request.watch, request.aim, request.moment)
    case 'link.release':
      agent.links.release(request.watch)
      return null
  }
}

/** Ends everything. The exit handler does what is left when this takes too long. */
function end(exitCode: number): void {
  if (ending) return
  ending = true
  setTimeout(() => process.exit(exitCode), stopTimeoutMs).unref()
  const stopped = agent?.stop() ?? Promise.resolve()
  stopped.then(
    () => process.exit(exitCode),
    () => process.exit(exitCode),
  )
}

process.on('message', ({ id, request }: ToAgent) => {
  answer(request).then(
    (value) => {
      send({ kind: 'reply', id, value })
      if (request.kind === 'stop') process.disconnect()
    },
    (error: unknown) => {
      if (error instanceof Refused) send({ kind: 'refusal', id, refusal: error.refusal })
      else {
        const problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
        send({ kind: 'refusal', id, refusal: { code: 'ERR_CLUSTER', problem } })
      }
    },
  )
})
process.on('disconnect', () => end(0))
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end(1))
process.on('uncaughtException', (error) => {
  log('crashed', { error: error.stack ?? String(error) })
  end(1)
})
process.on('exit', () => {
  agent?.killAll()
  agent?.removeFolder()
})
// The harness reads it while it lives; afterwards there is nobody to tell.
process.stderr.on('error', () => {})
