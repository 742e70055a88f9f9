// Tests of the blocks of addresses and ports: nothing twice, nothing outside.

import { test } from 'tap'
import { ownBlock, ownBlocks, Slots, sharedBlock, sharedBlockEndpoints, sharedBlocks } from './addresses.ts'

test('gives each pod of a block an address of its own with the standard ports', async (t) => {
  const block = ownBlock(300, 1053)
  t.same(block.dns, { address: '127.65.44.1', port: 1053 })
  t.same(block.service('runtime'), { address: '127.65.44.10', port: 7840 })
  t.same(block.service('balancer'), { address: '127.65.44.11', port: 8080 })
  t.match(block.pod('component-server', 0), { address: '127.65.44.20', port: 8080, adminPort: 8081 })
  t.match(block.pod('runtime', 1), { address: '127.65.44.21', port: 7840, adminPort: 7841 })
  t.match(block.pod('balancer', block.capacity - 1), {
    address: '127.65.44.254',
    port: 8080,
    adminPort: 9091,
  })
})

test('keeps every block within 127.64.0.0/10', async (t) => {
  t.equal(ownBlock(0, 1).dns.address, '127.64.0.1')
  t.equal(ownBlock(ownBlocks - 1, 1).dns.address, '127.127.255.1')
})

test('gives each pod of a shared block ports of its own, below the ephemeral range', async (t) => {
  const block = sharedBlock(sharedBlocks - 1)
  const ports = [block.dns.port, block.service('runtime').port, block.service('balancer').port]
  for (let slot = 0; slot < block.capacity; slot++) {
    const { address, port, adminPort, metricsPort } = block.pod('balancer', slot)
    t.equal(address, '127.0.0.1')
    ports.push(port, adminPort, metricsPort)
  }
  t.equal(new Set(ports).size, ports.length, 'no port twice')
  t.ok(Math.max(...ports) < 32_768)
  const checked = new Set(sharedBlockEndpoints(sharedBlocks - 1).map((at) => at.port))
  t.ok(
    ports.slice(1).every((port) => checked.has(port)),
    'all are looked at before the block is taken',
  )
  t.notOk(checked.has(sharedBlock(0).dns.port))
})

test('reuses a freed slot last', async (t) => {
  const slots = new Slots(3)
  t.equal(slots.take(), 0)
  slots.release(0)
  t.same([slots.take(), slots.take(), slots.take(), slots.take()], [1, 2, 0, undefined])
})
