// The same inputs through a whole balancer to a pod whose parser is llhttp: what arrives is what was read, and no more.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Owner, RawClient, startFor } from '../../system/balancer/test-support.ts'
import { readRequests } from './heads.ts'
import type { Random } from './random.ts'

/** The instance id that the pod has, as in the inputs. */
const instanceId = 'id-1'
/** For all answers of one input, ms. */
const answersWithinMs = 2_000

/** Sends one connection's bytes, and says what was not as it must be; null: nothing. */
export type WholeCheck = (bytes: Buffer, random: Random) => Promise<string | null>

/** @param read what is expected; a test hands in a broken one */
export async function startWhole(
  owner: Owner,
  read: typeof readRequests = readRequests,
): Promise<WholeCheck> {
  let seen: string[] = []
  let faults: string[] = []
  const pod = createServer((request, response) => {
    let body = ''
    request.setEncoding('latin1')
    request.on('data', (text: string) => {
      body += text
    })
    request.on('error', () => {})
    request.on('end', () => {
      if (request.url === '/health' && request.headers.via === undefined) {
        response.end(JSON.stringify({ status: 'healthy', instanceId }))
        return
      }
      seen.push(shown(request.method ?? '', request.url ?? '', body))
      response.end('x')
    })
  })
  pod.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    socket.destroy()
    // A request that its client broke off breaks off here, too.
    if (error.code !== 'ECONNRESET' && error.code !== 'HPE_INVALID_EOF_STATE')
      faults.push(error.code ?? error.message)
  })
  for (const event of ['upgrade', 'connect', 'checkContinue']) pod.on(event, () => faults.push(event))
  pod.listen(0, '127.0.0.1')
  await once(pod, 'listening')
  owner.teardown(() => {
    pod.closeAllConnections()
    pod.close()
  })
  const balancer = await startFor(owner, [pod.address() as AddressInfo])
  return async (bytes, random) => {
    seen = []
    faults = []
    const { forwarded, refusal } = read(bytes, bytes.length)
    const complete = forwarded.filter((one) => one.complete)
    const wanted = complete
      .filter(({ head }) => head.instanceId === null || head.instanceId === instanceId)
      .map(({ head, body }) => shown(head.method, head.target, body))
    const wantedAnswers = complete.length + (refusal === null ? 0 : 1)
    const client = new RawClient({ teardown() {} }, balancer.port)
    const cut = 1 + random.below(bytes.length)
    client.write(bytes.subarray(0, cut))
    await turn()
    client.write(bytes.subarray(cut))
    const answers = (): number => client.received.match(/HTTP\/1\.1 (?!100)\d{3} /g)?.length ?? 0
    const until = performance.now() + answersWithinMs
    while (answers() < wantedAnswers && !client.closed && !client.ended && performance.now() < until)
      await turn()
    client.socket.destroy()
    if (faults.length > 0) return `the pod's parser: ${faults.join()}`
    if (seen.join('\n') !== wanted.join('\n'))
      return `the pod had ${seen.join(' | ')}, not ${wanted.join(' | ')}`
    if (answers() !== wantedAnswers) return `${answers()} answers, not ${wantedAnswers}`
    return null
  }
}

function shown(method: string, target: string, body: string): string {
  return `${method} ${target} ${JSON.stringify(body)}`
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
