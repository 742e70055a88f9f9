// Tests of the links on Kubernetes: real agents with their proxies before real servers, by the driver's own requests.

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { startLink } from './agent/link.ts'
import { startAgentServer } from './agent/server.ts'
import { AgentLink } from './agent-link.ts'
import { KubernetesLinks, type LinkedPod } from './links.ts'

interface TestPod extends LinkedPod {
  /** Where its callers find it. */
  readonly entrance: string
  readonly agent: AgentLink
}

/** A port that was free a moment ago: the proxy's is known beforehand, as in a pod. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A pod: its program answers with three events, 20 ms apart. */
async function startPod(t: Test, name: string): Promise<TestPod> {
  const program = createServer(async (request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let n = 1; n <= 3; n++) {
      response.write(`data: {"n":${n}}\n\n`)
      await delay(20)
    }
    response.end()
  }).listen(0, '127.0.0.1')
  await once(program, 'listening')
  const port = await freePort()
  const upstream = { address: '127.0.0.1', port: (program.address() as AddressInfo).port }
  const link = startLink({ listen: { address: '127.0.0.1', port }, upstream })
  const historyFile = join(t.testdir({}), `${name}.ndjson`)
  writeFileSync(historyFile, '')
  const server = await startAgentServer({
    ...{ host: '127.0.0.1', port: 0, token: 'right', historyFile, link, forgottenMs: 50 },
  })
  const address = async (): Promise<string> => `127.0.0.1:${server.port}`
  const agent = new AgentLink({ pod: name, token: 'right', address, originMs: 0 })
  agent.follow()
  t.teardown(async () => {
    agent.stop()
    await server.close()
    link.close()
    program.closeAllConnections()
    program.close()
  })
  const entrance = `127.0.0.1:${port}`
  while ((await fetch(`http://${entrance}/`).catch(() => null)) === null) await delay(5)
  return { name, role: 'component-server', entrance, agent, link: (what, body) => agent.link(what, body) }
}

function linksOf(pods: readonly TestPod[]): KubernetesLinks {
  return new KubernetesLinks({
    pods: () => pods,
    entrance: (name) => pods.find((pod) => pod.name === name)?.entrance ?? null,
  })
}

/** A step's call, and its answer as far as it came. */
async function call({ entrance }: TestPod, step = 's'): Promise<string> {
  let text = ''
  try {
    const body = JSON.stringify({ params: { component: '/c', observability: { step_id: step } } })
    const answer = await fetch(`http://${entrance}/`, { method: 'POST', body })
    const decoder = new TextDecoder()
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true })
    return text
  } catch {
    return `${text}broken`
  }
}

test('an effect acts at every pod of the role, also at one that comes later, and is taken away', async (t) => {
  const pods = [await startPod(t, 'a'), await startPod(t, 'b')]
  const links = linksOf(pods)
  t.same(links.roles, ['component-server'])
  t.same(await links.entrance('a'), { address: '127.0.0.1', port: Number(pods[0]?.entrance.split(':')[1]) })
  t.equal(await links.entrance('z'), null)
  const id = await links.add({ role: 'component-server' }, { kind: 'reset', share: 1, moment: null }, 1)
  for (const pod of pods) t.match(await call(pod), /^(data: \{"n":1\}\n\n)?broken$/, `${pod.name} is reset`)
  const late = await startPod(t, 'c')
  pods.push(late)
  links.podCame(late)
  while ((await links.report(id)).hits < 3) await call(late)
  t.match(await links.report(id), { last: /^reset after event \d$/ })
  await links.remove(id)
  for (const pod of pods) t.match(await call(pod), /"n":3/, `${pod.name} is well`)
})

test('an effect on one pod leaves the others alone', async (t) => {
  const [a, b] = [await startPod(t, 'a'), await startPod(t, 'b')]
  const links = linksOf([a, b])
  const effect = { kind: 'truncate', share: 1, moment: { step: 's', event: 2 } } as const
  const id = await links.add({ role: 'component-server', pod: 'a' }, effect, 1)
  t.match(await call(b), /"n":3/)
  t.match(await call(a, 'other'), /"n":3/, 'another step is left alone')
  t.notMatch(await call(a), /"n":2/)
  await links.remove(id)
})

test('a moment of a live stream holds its pod, and no other, until it is released', async (t) => {
  const [a, b] = [await startPod(t, 'a'), await startPod(t, 'b')]
  const links = linksOf([a, b])
  const coming = links.moment(
    { role: 'component-server' },
    { step: 's', event: 2 },
    AbortSignal.timeout(10_000),
  )
  await delay(30)
  const answer = call(a)
  const held = await coming
  t.equal(held?.pod, 'a')
  let isThere = false
  void answer.then(() => {
    isThere = true
  })
  t.match(await call(b), /"n":3/, 'the other pod serves on')
  await delay(100)
  t.notOk(isThere, 'the third event is held')
  await held?.release()
  t.match(await answer, /"n":3/)
})

test('a wait for a moment ends when it is given up', async (t) => {
  const links = linksOf([await startPod(t, 'a')])
  t.equal(await links.moment({ role: 'component-server' }, { event: 9 }, AbortSignal.timeout(30)), null)
})

test('what a harness that died has put on a link is gone soon after it', async (t) => {
  const pod = await startPod(t, 'a')
  const effect = { kind: 'partition', direction: 'both' } as const
  await linksOf([pod]).add({ role: 'component-server' }, effect, 1)
  const answer = call(pod)
  pod.agent.stop()
  t.match(await answer, /"n":3/)
})

test('a pod without a proxy says so', async (t) => {
  const historyFile = join(t.testdir({ h: '' }), 'h')
  const server = await startAgentServer({ host: '127.0.0.1', port: 0, token: 'right', historyFile })
  t.teardown(() => server.close())
  const address = async (): Promise<string> => `127.0.0.1:${server.port}`
  const agent = new AgentLink({ pod: 'a', token: 'right', address, originMs: 0 })
  t.teardown(() => agent.stop())
  await t.rejects(agent.link('report', { id: '1' }), { code: 'ERR_CLUSTER', message: /no proxy in front/ })
})
