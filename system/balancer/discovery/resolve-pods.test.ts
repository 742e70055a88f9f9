// Names to addresses, against a DNS server of the test's own.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import dnsPacket, { type Answer } from 'dns-packet'
import t from 'tap'
import type { Owner } from '../test-support.ts'
import { createPodResolve, parseHosts } from './resolve-pods.ts'

/** A DNS server with `records`; answers NXDOMAIN for every other name. */
async function startDns(owner: Owner, records: readonly Answer[]): Promise<string> {
  const socket = createSocket('udp4')
  socket.on('message', (message, from) => {
    const query = dnsPacket.decode(message)
    const [question] = query.questions ?? []
    const known = records.some(({ name }) => name === question?.name)
    const answers = records.filter(({ name, type }) => name === question?.name && type === question.type)
    socket.send(
      dnsPacket.encode({
        type: 'response',
        id: query.id ?? 0,
        flags: 0x0400 | (known ? 0 : 3),
        questions: query.questions ?? [],
        answers,
      }),
      from.port,
      from.address,
    )
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  owner.teardown(() => socket.close())
  return `127.0.0.1:${socket.address().port}`
}

t.test('reads A and AAAA records with their TTL', async (t) => {
  const server = await startDns(t, [
    { type: 'A', name: 'pods.test', ttl: 7, data: '10.0.0.1' },
    { type: 'A', name: 'pods.test', ttl: 5, data: '10.0.0.2' },
    { type: 'AAAA', name: 'pods.test', ttl: 9, data: 'fd00::1' },
  ])
  const { endpoints, ttlSeconds } = await createPodResolve({ server })('Pods.Test', 8080)
  t.same(endpoints.map(({ address, port }) => `${address} ${port}`).sort(), [
    '10.0.0.1 8080',
    '10.0.0.2 8080',
    'fd00::1 8080',
  ])
  t.equal(ttlSeconds, 5)
})

t.test('takes IPv6 alone', async (t) => {
  const server = await startDns(t, [{ type: 'AAAA', name: 'six.test', ttl: 9, data: 'fd00::1' }])
  t.same((await createPodResolve({ server })('six.test', 1)).endpoints, [{ address: 'fd00::1', port: 1 }])
})

t.test('lets SRV records say the ports where they differ', async (t) => {
  const server = await startDns(t, [
    { type: 'A', name: 'pods.test', ttl: 1, data: '127.0.0.1' },
    { type: 'A', name: 'a.pods.test', ttl: 1, data: '127.0.0.1' },
    { type: 'SRV', name: '_http._tcp.pods.test', ttl: 1, data: { port: 7001, target: 'a.pods.test' } },
    { type: 'SRV', name: '_http._tcp.pods.test', ttl: 1, data: { port: 7002, target: 'a.pods.test' } },
  ])
  const { endpoints } = await createPodResolve({ server })('pods.test', 8080)
  t.same(endpoints.map(({ address, port }) => `${address}:${port}`).sort(), [
    '127.0.0.1:7001',
    '127.0.0.1:7002',
  ])
})

t.test(
  'takes SRV records whose targets have IPv6 alone, and leaves out those without an address',
  async (t) => {
    const srv = (port: number, target: string): Answer => ({
      type: 'SRV',
      name: '_http._tcp.pods.test',
      ttl: 1,
      data: { port, target },
    })
    const server = await startDns(t, [
      { type: 'AAAA', name: 'six.pods.test', ttl: 1, data: 'fd00::6' },
      srv(7001, 'six.pods.test'),
      srv(7002, 'gone.pods.test'),
    ])
    t.same((await createPodResolve({ server })('pods.test', 8080)).endpoints, [
      { address: 'fd00::6', port: 7001 },
    ])
    const other = await startDns(t, [srv(7002, 'gone.pods.test')])
    await t.rejects(createPodResolve({ server: other })('pods.test', 8080), { code: 'ENOTFOUND' })
  },
)

t.test('rejects for a name that does not exist', async (t) => {
  const server = await startDns(t, [])
  await t.rejects(createPodResolve({ server })('nobody.test', 1), { code: 'ENOTFOUND' })
})

t.test('takes addresses as they are, and names from the hosts file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hosts-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const hostsFile = join(folder, 'hosts')
  writeFileSync(hostsFile, '# pods\n10.1.1.1 one two # three\n10.1.1.2\ttwo\nfd00::2 TWO\nbroken two\n')
  const resolve = createPodResolve({ hostsFile })
  t.same(
    (await resolve('two', 5)).endpoints.map(({ address }) => address),
    ['10.1.1.1', '10.1.1.2', 'fd00::2'],
  )
  t.same((await resolve('10.9.9.9', 5)).endpoints, [{ address: '10.9.9.9', port: 5 }])
  t.same((await resolve('::1', 5)).endpoints, [{ address: '::1', port: 5 }])
  t.same(parseHosts('1.2.3.4 a b', 'c'), [])
})

t.test('says what is wrong with a server that is no address:port', async (t) => {
  t.throws(() => createPodResolve({ server: 'dns.test:53' }), {
    code: 'ERR_FLAG_VALUE',
    field: 'STEPFLOW_DNS',
  })
})
