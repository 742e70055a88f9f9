// The cluster's DNS server on loopback: strict, bounded, over UDP and TCP.

import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram'
import type { Server, Socket } from 'node:net'
import packet, { type DecodedPacket, type OptAnswer, type Packet } from 'dns-packet'
import type { DnsEffect } from '../../../contracts/hooks.ts'
import { answer, type Zone, type ZoneAnswer } from './dns-zone.ts'

/** No honest question is longer: a name has at most 255 bytes. */
const questionBytes = 512
/** Answers over UDP: RFC 1035 without EDNS, and with it what passes every path (DNS flag day 2020). */
const plainUdpBytes = 512
const largestUdpBytes = 1_232
const tcpConnections = 64
const tcpIdleMs = 5_000

/** Answers from `zone` on sockets that listen already; the caller closes them. */
export function serveDns(tcp: Server, udp: UdpSocket, random: () => number, state: () => DnsState): void {
  let isClosed = false
  udp.once('close', () => {
    isClosed = true
  })
  udp.on('message', (message: Buffer, from: RemoteInfo) => {
    const { zone, effect } = state()
    const reply = replyTo(message, zone, random, 'udp', effect)
    if (reply === null) return
    later(effect, () => {
      if (!isClosed) udp.send(reply, from.port, from.address, () => {})
    })
  })
  // ECONNREFUSED of a reply to someone who is gone; no reason to stop.
  udp.on('error', () => {})
  tcp.maxConnections = tcpConnections
  tcp.on('connection', (socket) => serveTcp(socket, random, state))
}

/** What is answered from, and what a fault does to the answers. */
export interface DnsState {
  readonly zone: Zone
  readonly effect: DnsEffect | null
}

function later(effect: DnsEffect | null, act: () => void): void {
  if (effect?.kind === 'slow') setTimeout(act, effect.delayMs).unref()
  else act()
}

function serveTcp(socket: Socket, random: () => number, state: () => DnsState): void {
  let pending = Buffer.alloc(0)
  socket.setTimeout(tcpIdleMs, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 2) {
      const length = pending.readUInt16BE(0)
      if (length > questionBytes) return void socket.destroy()
      if (pending.length < 2 + length) return
      const { zone, effect } = state()
      const reply = replyTo(pending.subarray(2, 2 + length), zone, random, 'tcp', effect)
      pending = pending.subarray(2 + length)
      if (reply === null) return void socket.destroy()
      const framed = Buffer.alloc(2 + reply.length)
      framed.writeUInt16BE(reply.length, 0)
      reply.copy(framed, 2)
      later(effect, () => {
        // A peer that asks without reading gets no further answers.
        if (!socket.destroyed && !socket.write(framed)) socket.destroy()
      })
    }
  })
}

/**
 * The reply to one message; null: none, since it is no question (an answer to a reply would be a loop).
 * One question of class IN is answered; others get FORMERR or NOTIMP.
 */
export function replyTo(
  message: Uint8Array,
  zone: Zone,
  random: () => number,
  transport: 'udp' | 'tcp',
  effect: DnsEffect | null = null,
): Buffer | null {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  if (bytes.length < 12 || bytes.length > questionBytes) return null
  const isReply = (bytes[2]! & 0x80) !== 0
  if (isReply) return null
  const opcode = (bytes[2]! >> 3) & 0x0f
  if (opcode !== 0) return failure(bytes, rcodes.NOTIMP)
  let query: DecodedPacket
  try {
    query = packet.decode(bytes)
  } catch {
    return failure(bytes, rcodes.FORMERR)
  }
  const [question, ...more] = query.questions ?? []
  const unexpected = (query.answers?.length ?? 0) + (query.authorities?.length ?? 0)
  if (question === undefined || more.length > 0 || unexpected > 0) return failure(bytes, rcodes.FORMERR)
  if (question.class !== 'IN') return failure(bytes, rcodes.REFUSED)
  // Other characters are legal in DNS but in no name of this zone, and do not survive being echoed.
  if (!/^[\w.-]*$/.test(question.name)) return failure(bytes, rcodes.REFUSED)
  if (effect?.kind === 'failing') return failure(bytes, rcodes.SERVFAIL)
  const found = effect?.kind === 'empty' ? nothing : answer(question, zone)
  const edns = query.additionals?.find((record) => record.type === 'OPT')
  const limit =
    transport === 'tcp'
      ? 65_535
      : edns === undefined
        ? plainUdpBytes
        : Math.max(plainUdpBytes, Math.min(edns.udpPayloadSize, largestUdpBytes))
  const reply = (parts: Pick<Packet, 'answers' | 'authorities' | 'additionals'>, flags: number): Buffer =>
    packet.encode({
      type: 'response',
      id: query.id ?? 0,
      flags: packet.AUTHORITATIVE_ANSWER | ((query.flags ?? 0) & packet.RECURSION_DESIRED) | flags,
      questions: [question],
      answers: parts.answers ?? [],
      authorities: parts.authorities ?? [],
      additionals: [...(parts.additionals ?? []), ...(edns === undefined ? [] : [opt])],
    })
  const rcode = rcodes[found.rcode]
  const whole = reply(
    {
      answers: shuffle(found.answers, random),
      authorities: [...found.authorities],
      additionals: [...found.additionals],
    },
    rcode,
  )
  if (whole.length <= limit) return whole
  const withoutExtras = reply({ answers: shuffle(found.answers, random) }, rcode)
  return withoutExtras.length <= limit ? withoutExtras : reply({}, packet.TRUNCATED_RESPONSE | rcode)
}

const nothing: ZoneAnswer = { rcode: 'NOERROR', answers: [], additionals: [], authorities: [] }

const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const

const opt: OptAnswer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: largestUdpBytes,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
}

/** The head of the question alone, turned into an error: what could not be read is not sent back. */
function failure(bytes: Buffer, rcode: number): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(bytes.readUInt16BE(0), 0)
  head.writeUInt16BE(0x8000 | (bytes.readUInt16BE(2) & 0x7900) | rcode, 2)
  return head
}

/** Another order each time, as CoreDNS's loadbalance plugin does for clients that take the first address. */
function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[result[i], result[j]] = [result[j]!, result[i]!]
  }
  return result
}
