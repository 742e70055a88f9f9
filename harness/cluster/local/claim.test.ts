// Tests of claiming a block: two clusters at once, and ports that others hold.

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'tap'
import { standardPorts } from './addresses.ts'
import { type Claim, claimBlock } from './claim.ts'

const close = (claim: Claim): void => {
  claim.tcp.close()
  claim.udp.close()
}
/** Gives the numbers in turn, then truly random ones. */
const numbers =
  (...list: number[]) =>
  (): number =>
    list.shift() ?? Math.random()

const ownAddresses = { skip: process.platform === 'linux' ? false : 'this platform has 127.0.0.1 only' }

test('never gives two clusters the same addresses', ownAddresses, async (t) => {
  const first = await claimBlock('own', numbers(0.7, 0.1, 0.2))
  const second = await claimBlock('own', numbers(0.7, 0.3))
  t.equal(first.block.addressing, 'own')
  t.not(second.block.dns.address, first.block.dns.address)
  close(first)
  close(second)
})

test('never gives two clusters the same ports', async (t) => {
  const first = await claimBlock('shared', numbers(0.7))
  const second = await claimBlock('shared', numbers(0.7))
  t.same([first.block.addressing, second.block.addressing], ['shared', 'shared'])
  t.not(second.block.dns.port, first.block.dns.port)
  close(first)
  close(second)
})

test('passes over a block of ports in which one is taken', async (t) => {
  const first = await claimBlock('shared', numbers(0.2))
  close(first)
  const holder = createServer().listen(first.block.pod('runtime', 5).adminPort, '127.0.0.1')
  await once(holder, 'listening')
  const second = await claimBlock('shared', numbers(0.2))
  t.not(second.block.dns.port, first.block.dns.port)
  close(second)
  holder.close()
})

test('uses other ports for those that a program holds on all addresses', ownAddresses, async (t) => {
  const holder = createServer().listen(0, '0.0.0.0')
  await once(holder, 'listening')
  const held = (holder.address() as AddressInfo).port
  const wanted = { ...standardPorts, balancer: { port: held, adminPort: 9091, metricsPort: held } }
  const { block, tcp, udp } = await claimBlock('own', Math.random, wanted)
  const { port, adminPort, metricsPort } = block.pod('balancer', 0)
  t.not(port, held)
  t.equal(metricsPort, port, 'the same port everywhere, for its Service too')
  t.equal(block.service('balancer').port, port)
  t.not(adminPort, port)
  close({ block, tcp, udp })
  holder.close()
})
