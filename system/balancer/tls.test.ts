// TLS and mTLS on both sides, and certificates that change while connections are open.

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import t from 'tap'
import { createAuthority } from './test-certificates.ts'
import { type Owner, post, silentLog, startFor, startPod, until } from './test-support.ts'
import { noTls, readTls, watchFiles } from './tls.ts'

const authority = createAuthority('Test Authority')
const foreign = createAuthority('Foreign Authority')

/** POSTs once and returns the answer's body, or the error's code. */
function call(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request(
      { host: '127.0.0.1', port, method: 'POST', agent: new Agent(), ...options },
      (answer) => {
        let text = ''
        answer.on('data', (bytes) => (text += String(bytes)))
        answer.on('end', () => resolve(text))
      },
    )
    outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    outgoing.end('{}')
  })
}

async function openTls(owner: Owner, port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca: authority.cert, ...options })
  socket.on('error', () => {})
  owner.teardown(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

t.test('speaks TLS to clients', async (t) => {
  const pod = await startPod(t, 'a')
  const clients = { ...authority.issue('lb.test'), ca: null }
  const balancer = await startFor(t, [pod], {}, undefined, { tls: { ...noTls, clients } })
  t.equal(await call(balancer.port, { ca: authority.cert }), '{"pod":"a"}')
  t.not(await call(balancer.port, { ca: foreign.cert }), '{"pod":"a"}')
})

t.test('lets in only clients with a certificate of its authority', async (t) => {
  const pod = await startPod(t, 'a')
  const clients = { ...authority.issue('lb.test'), ca: authority.cert }
  const balancer = await startFor(t, [pod], {}, undefined, { tls: { ...noTls, clients } })
  t.equal(await call(balancer.port, { ca: authority.cert, ...authority.issue('client') }), '{"pod":"a"}')
  t.not(await call(balancer.port, { ca: authority.cert }), '{"pod":"a"}')
  t.not(await call(balancer.port, { ca: authority.cert, ...foreign.issue('client') }), '{"pod":"a"}')
  t.equal(pod.requests.length, 1)
})

/** A pod that speaks TLS and asks for a certificate. */
async function startTlsPod(owner: Owner, name: string, issuer = authority) {
  const server = createServer(
    { ...issuer.issue(name), ca: authority.cert, requestCert: true },
    (incoming, answer) => {
      incoming.resume()
      answer.end(incoming.url === '/health' ? '{"status":"healthy","instanceId":"secure"}' : 'secured')
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port }
}

t.test('speaks mTLS to pods, health checks included, and expects their name', async (t) => {
  const pod = await startTlsPod(t, 'pods.test')
  const pods = { ...authority.issue('lb.test'), ca: authority.cert, serverName: 'pods.test' }
  const balancer = await startFor(t, [pod], {}, undefined, { tls: { ...noTls, pods } })
  const response = await fetch(`http://127.0.0.1:${balancer.port}/`, { method: 'POST', body: '{}' })
  t.equal(await response.text(), 'secured')
})

t.test('gives nothing to pods of another name or authority', async (t) => {
  const impostors = [await startTlsPod(t, 'other.test'), await startTlsPod(t, 'pods.test', foreign)]
  const pods = { ...authority.issue('lb.test'), ca: authority.cert, serverName: 'pods.test' }
  const balancer = await startFor(
    t,
    [],
    {},
    async () => ({
      endpoints: impostors.map(({ port }) => ({ address: '127.0.0.1', port })),
      ttlSeconds: 1,
    }),
    { tls: { ...noTls, pods } },
  )
  await until(() => balancer.directory.probes.fault >= 4)
  const response = await fetch(`http://127.0.0.1:${balancer.port}/`, { method: 'POST', body: '{}' })
  t.equal(response.status, 503)
})

t.test('takes new certificates for new connections, and leaves open ones alone', async (t) => {
  const pod = await startPod(t, 'a')
  const before = { ...authority.issue('before.test'), ca: null }
  const after = { ...authority.issue('after.test'), ca: null }
  const balancer = await startFor(t, [pod], {}, undefined, { tls: { ...noTls, clients: before } })
  const old = await openTls(t, balancer.port, { servername: 'before.test' })
  balancer.reload({ tls: { ...noTls, clients: after } })
  const fresh = await openTls(t, balancer.port, { servername: 'after.test' })
  t.equal(fresh.getPeerCertificate().subject.CN, 'after.test')
  old.write(post('{}'))
  const [bytes] = (await once(old, 'data')) as [Buffer]
  t.match(bytes.toString(), /^HTTP\/1\.1 200 /)
})

t.test('reads files that belong together, and says what is wrong with others', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const own = authority.issue('lb.test')
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const cert = file('cert.pem', own.cert)
  const key = file('key.pem', own.key)
  t.match(await readTls({ cert, key, ca: null }, '--tls-cert'), { ...own, ca: null })
  await t.rejects(readTls({ cert, key: null, ca: null }, '--tls-cert'), { code: 'ERR_CONFIG_FIELD' })
  await t.rejects(readTls({ cert, key: join(folder, 'none'), ca: null }, '--tls-cert'), {
    code: 'ERR_CONFIG_READ',
  })
  const otherKey = file('other.pem', authority.issue('x').key)
  await t.rejects(readTls({ cert, key: otherKey, ca: null }, '--tls-cert'), { code: 'ERR_CONFIG_FIELD' })
})

t.test('sees that files were replaced, and tries again while they do not fit', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'cert.pem')
  writeFileSync(file, 'one')
  let calls = 0
  const stop = watchFiles(
    [file],
    async () => {
      if (++calls < 3) throw new Error('not yet')
    },
    silentLog,
    10,
  )
  t.teardown(stop)
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(calls, 0)
  writeFileSync(file, 'replaced')
  await until(() => calls === 3)
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(calls, 3)
})
