// Tests of the DNS server: strict, bounded, and understood by a real resolver.

import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import packet, { type DecodedPacket, type Packet } from 'dns-packet'
import * as fc from 'fast-check'
import { test } from 'tap'
import { replyTo, serveDns } from './dns-server.ts'
import type { Zone } from './dns-zone.ts'

const name = 'component-server.stepflow-demo.svc.cluster.local'
const zoneOf = (pods: number): Zone => ({
  service: () => null,
  ready: () => Array.from({ length: pods }, (_, i) => ({ address: `127.65.0.${20 + i}`, port: 8080 })),
  all: () => [],
})
const zone = zoneOf(3)
const random = (): number => 0.5
const question = (over: Partial<Packet> = {}): Buffer =>
  packet.encode({ type: 'query', id: 77, flags: 0x100, questions: [{ type: 'A', name }], ...over })
// The types lack what decode adds.
const read = (reply: Buffer | null): DecodedPacket & { readonly rcode?: string } => packet.decode(reply!)

test('answers a question with authority and echoes it', async (t) => {
  const reply = read(replyTo(question(), zone, random, 'udp'))
  t.match(reply, { id: 77, type: 'response', rcode: 'NOERROR', flag_aa: true, flag_rd: true, flag_ra: false })
  t.match(reply.questions, [{ name, type: 'A', class: 'IN' }])
  t.equal(reply.answers?.length, 3)
})

test('answers in another order each time', async (t) => {
  const orders = new Set<string>()
  for (let i = 0; i < 60; i++) {
    const { answers } = read(replyTo(question(), zone, Math.random, 'udp'))
    orders.add((answers ?? []).map((one) => ('data' in one ? one.data : '')).join())
  }
  t.equal(orders.size, 6, 'all orders of three')
})

test('says by TC that an answer does not fit, and gives it whole by TCP or EDNS', async (t) => {
  const many = zoneOf(15)
  const opt = packet.encode({
    type: 'query',
    questions: [{ type: 'A', name }],
    additionals: [
      {
        ...{ type: 'OPT', name: '.', udpPayloadSize: 4_096, extendedRcode: 0, ednsVersion: 0 },
        ...{ flags: 0, flag_do: false, options: [] },
      } as const,
    ],
  })
  t.match(read(replyTo(question(), many, random, 'udp')), { flag_tc: true, answers: [] })
  const edns = replyTo(opt, many, random, 'udp')
  t.match(read(edns), { flag_tc: false, answers: { length: 15 } })
  t.ok(edns!.length <= 1_232)
  t.match(read(replyTo(question(), many, random, 'tcp')), { flag_tc: false, answers: { length: 15 } })
})

test('never answers what is no question', async (t) => {
  for (const message of [
    Buffer.alloc(0),
    Buffer.alloc(11),
    question({ type: 'response' }),
    Buffer.concat([question(), Buffer.alloc(600)]),
  ]) {
    t.equal(replyTo(message, zone, random, 'udp'), null)
  }
})

test('refuses malformed and strange questions', async (t) => {
  const rcode = (message: Buffer): unknown => read(replyTo(message, zone, random, 'udp')).rcode
  const opcode = question()
  opcode[2] = opcode[2]! | 0x28
  t.equal(rcode(opcode), 'NOTIMP', 'an update')
  t.equal(rcode(question({ questions: [] })), 'FORMERR')
  t.equal(rcode(question({ questions: Array(2).fill({ type: 'A', name }) })), 'FORMERR', 'two questions')
  t.equal(rcode(question({ answers: [{ type: 'A', name, data: '127.0.0.1' }] })), 'FORMERR')
  t.equal(rcode(question().subarray(0, 20)), 'FORMERR', 'cut off')
  t.equal(rcode(question({ questions: [{ type: 'A', name, class: 'CH' }] })), 'REFUSED')
  t.equal(rcode(question({ questions: [{ type: 'A', name: 'bad name' }] })), 'REFUSED')
  const loop = Buffer.from(question())
  loop.writeUInt16BE(0xc00c, 12)
  t.equal(rcode(loop), 'FORMERR', 'a name that points at itself')
})

test('survives any bytes', async (t) => {
  const header = fc.tuple(fc.constant(question().subarray(0, 12)), fc.uint8Array({ maxLength: 100 }))
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    header.map(([head, rest]) => Buffer.concat([head, rest])),
  )
  fc.assert(
    fc.property(bytes, (message) => {
      const reply = replyTo(message, zone, random, 'udp')
      return reply === null || (reply.length <= 1_232 && (reply[2]! & 0x80) !== 0)
    }),
    { numRuns: 2_000 },
  )
  t.pass()
})

test('is understood by a real resolver over UDP, and over TCP when the answer is long', async (t) => {
  for (const pods of [3, 100]) {
    const server = await started(zoneOf(pods))
    const resolver = new Resolver({ timeout: 2_000, tries: 1 })
    resolver.setServers([`127.0.0.1:${server.port}`])
    const records = await resolver.resolve4(name, { ttl: true })
    t.equal(records.length, pods)
    t.equal(records[0]?.ttl, 1)
    t.equal((await resolver.resolveSrv(`_http._tcp.${name}`)).length, pods)
    await t.rejects(resolver.resolve6(name), { code: 'ENODATA' })
    await t.rejects(resolver.resolve4(`nothing.${name}`), { code: 'ENOTFOUND' })
    server.close()
  }
})

test('answers several questions on one TCP connection, in whatever pieces they come', async (t) => {
  const server = await started(zone)
  const socket = connect(server.port, '127.0.0.1')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(question().length)
  const two = Buffer.concat([length, question(), length, question()])
  socket.setNoDelay(true)
  for (const byte of two.subarray(0, 60)) socket.write(Buffer.from([byte]))
  socket.write(two.subarray(60))
  let received = Buffer.alloc(0)
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk])
    const first = received.length < 2 ? 0 : received.readUInt16BE(0) + 2
    if (received.length >= 2 * first && first > 0) break
  }
  t.equal(read(received.subarray(2)).answers?.length, 3)
  server.close()
})

test('drops a TCP connection that announces too much', async (t) => {
  const server = await started(zone)
  const socket = connect(server.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(Buffer.from([0xff, 0xff]))
  // Goes on sending, so that it is not merely closed for being idle.
  const sending = setInterval(() => socket.write('x'), 20)
  await once(socket.resume(), 'close')
  clearInterval(sending)
  t.pass()
  server.close()
})

async function started(of: Zone): Promise<{ port: number; close(): void }> {
  const tcp = createServer()
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4')
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  serveDns(tcp, udp, Math.random, () => ({ zone: of, effect: null }))
  return {
    port,
    close() {
      tcp.close()
      udp.close()
    },
  }
}
