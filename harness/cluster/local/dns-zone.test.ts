// Tests of the zone: which names exist, and with what records.

import type { RecordType } from 'dns-packet'
import { test } from 'tap'
import { answer, type Zone } from './dns-zone.ts'

const zone: Zone = {
  service: (role) =>
    role === 'runtime'
      ? { address: '127.65.0.10', port: 7840 }
      : role === 'balancer'
        ? { address: '127.65.0.11', port: 8080 }
        : null,
  ready: (role) =>
    role === 'component-server'
      ? [
          { address: '127.65.0.21', port: 8080 },
          { address: '127.65.0.22', port: 8080 },
        ]
      : [],
  all: (role) => (role === 'component-server' ? [{ address: '127.65.0.23', port: 8080 }] : []),
}
const empty: Zone = { ...zone, ready: () => [] }
const shared: Zone = {
  ...zone,
  ready: () => [
    { address: '127.0.0.1', port: 20_005 },
    { address: '127.0.0.1', port: 20_008 },
  ],
}
const ask = (name: string, type: RecordType = 'A', of: Zone = zone) => answer({ name, type }, of)
const fqdn = 'component-server.stepflow-demo.svc.cluster.local'

test('resolves a headless Service to its ready pods, by every form of its name', async (t) => {
  for (const name of [
    fqdn,
    'component-server.stepflow-demo.svc',
    'component-server.stepflow-demo',
    'component-server',
    'Component-Server.Stepflow-Demo.SVC.cluster.local.',
  ]) {
    t.same(ask(name), {
      rcode: 'NOERROR',
      answers: [
        { type: 'A', name, ttl: 1, data: '127.65.0.21' },
        { type: 'A', name, ttl: 1, data: '127.65.0.22' },
      ],
      additionals: [],
      authorities: [],
    })
  }
})

test('resolves the second headless Service to all pods, also those that are not ready', async (t) => {
  const all = 'component-server-all.stepflow-demo.svc.cluster.local'
  t.match(ask(all).answers, [{ data: '127.65.0.23' }])
  t.match(ask(`_http._tcp.${all}`, 'SRV'), {
    answers: [{ data: { port: 8080, target: `127-65-0-23.${all}` } }],
    additionals: [{ name: `127-65-0-23.${all}`, data: '127.65.0.23' }],
  })
  // Also of a role whose own Service has one address.
  t.equal(ask('pingora-lb-all').rcode, 'NXDOMAIN')
})

test('resolves other Services to their virtual address', async (t) => {
  t.match(ask('pingora-lb.stepflow-demo.svc.cluster.local').answers, [{ data: '127.65.0.11' }])
  t.match(ask('stepflow-server').answers, [{ data: '127.65.0.10' }])
  t.match(ask('_http._tcp.pingora-lb.stepflow-demo.svc.cluster.local', 'SRV'), {
    answers: [{ data: { port: 8080, target: 'pingora-lb.stepflow-demo.svc.cluster.local' } }],
    additionals: [{ name: 'pingora-lb.stepflow-demo.svc.cluster.local', data: '127.65.0.11' }],
  })
})

test('gives ports and targets by SRV, and resolves the targets', async (t) => {
  const { answers, additionals } = ask(`_http._tcp.${fqdn}`, 'SRV')
  t.match(answers, [
    { name: `_http._tcp.${fqdn}`, data: { port: 8080, target: `127-65-0-21.${fqdn}` } },
    { data: { port: 8080, target: `127-65-0-22.${fqdn}` } },
  ])
  t.match(additionals, [{ data: '127.65.0.21' }, { data: '127.65.0.22' }])
  t.match(ask(`127-65-0-22.${fqdn}`).answers, [{ data: '127.65.0.22' }])
  t.equal(ask(`127-65-0-99.${fqdn}`).rcode, 'NXDOMAIN')
})

test('gives each port but the address once where pods share it', async (t) => {
  t.match(ask(fqdn, 'A', shared).answers, [{ data: '127.0.0.1' }])
  t.equal(ask(fqdn, 'A', shared).answers.length, 1)
  const { answers, additionals } = ask(`_http._tcp.${fqdn}`, 'SRV', shared)
  t.match(answers, [{ data: { port: 20_005 } }, { data: { port: 20_008 } }])
  t.equal(additionals.length, 1)
})

test('says NXDOMAIN for a headless Service without a ready pod', async (t) => {
  t.match(ask(fqdn, 'A', empty), { rcode: 'NXDOMAIN', answers: [], authorities: [{ type: 'SOA', ttl: 1 }] })
  t.equal(ask(`_http._tcp.${fqdn}`, 'SRV', empty).rcode, 'NXDOMAIN')
})

test('says NODATA for names that exist without such a record', async (t) => {
  for (const [name, type] of [
    [fqdn, 'AAAA'],
    [fqdn, 'SRV'],
    [`_http._tcp.${fqdn}`, 'A'],
    [`_tcp.${fqdn}`, 'SRV'],
    ['pingora-lb', 'AAAA'],
    ['stepflow-demo.svc.cluster.local', 'A'],
    ['svc.cluster.local', 'A'],
    ['cluster.local', 'A'],
  ] as const) {
    t.match(
      ask(name, type),
      { rcode: 'NOERROR', answers: [], authorities: [{ type: 'SOA' }] },
      `${type} ${name}`,
    )
  }
})

test('says NXDOMAIN for names that do not exist, and refuses those of others', async (t) => {
  for (const name of [
    'nothing.stepflow-demo.svc.cluster.local',
    'component-server.other.svc.cluster.local',
    `_grpc._tcp.${fqdn}`,
    `_http._udp.${fqdn}`,
    `a.b.c.${fqdn}`,
  ]) {
    t.equal(ask(name, 'SRV').rcode, 'NXDOMAIN', name)
  }
  for (const name of ['example.com', 'component-server.example.com', ''])
    t.equal(ask(name).rcode, 'REFUSED', name)
})
