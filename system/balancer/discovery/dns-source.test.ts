// Pods behind a name, while its answers come, fail and come back empty.

import t from 'tap'
import type { Resolve } from '../../program/resolve.ts'
import { silentLog, until } from '../test-support.ts'
import { DnsSource, type DnsSourceOptions } from './dns-source.ts'
import type { Found } from './source.ts'

function open(resolve: Resolve, more: Partial<DnsSourceOptions> = {}) {
  const counts = { discoveries: 0, discoveryFailures: 0 }
  const updates: (readonly Found[])[] = []
  const source = new DnsSource({
    name: { host: 'pods.test', port: 8080 },
    resolve,
    minResolveMs: 10,
    counts,
    log: silentLog,
    ...more,
  })
  return { source, counts, updates, start: () => source.start((found) => updates.push(found)) }
}

t.test('tells of good answers, and keeps quiet about failures and empty ones', async (t) => {
  const answers: (string[] | Error)[] = [['10.0.0.1'], new Error('ESERVFAIL'), [], ['10.0.0.1', '::1']]
  const { source, counts, updates, start } = open(async (_host, port) => {
    const answer = answers.shift() ?? []
    if (answer instanceof Error) throw answer
    return { endpoints: answer.map((address) => ({ address, port })), ttlSeconds: 0 }
  })
  start()
  await until(() => counts.discoveries >= 4)
  await until(() => updates.length === 2)
  source.close()
  t.equal(counts.discoveryFailures >= 2, true)
  t.same(
    updates.map((found) => found.map(({ host }) => host)),
    [['10.0.0.1'], ['10.0.0.1', '::1']],
  )
})

t.test('asks again after the TTL', async (t) => {
  const { source, counts, start } = open(async () => ({
    endpoints: [{ address: '10.0.0.1', port: 1 }],
    ttlSeconds: 3600,
  }))
  t.teardown(() => source.close())
  start()
  await until(() => counts.discoveries === 1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(counts.discoveries, 1)
  await source.refresh()
  t.equal(counts.discoveries, 2)
})

t.test('asks again soon as long as no pod was ever found, then as its TTL says', async (t) => {
  let asked = 0
  const { source, updates, start } = open(
    async (_host, port) => {
      if (++asked < 3) throw new Error('ENOTFOUND')
      return { endpoints: [{ address: '10.0.0.1', port }], ttlSeconds: 3600 }
    },
    { minResolveMs: 60_000 },
  )
  t.teardown(() => source.close())
  start()
  await until(() => updates.length === 1)
  t.equal(asked, 3)
})

t.test('says of pods behind a name for callbacks that they take no new work', async (t) => {
  const { source, updates, start } = open(
    async (_host, port) => ({ endpoints: [{ address: '10.0.0.1', port }], ttlSeconds: 3600 }),
    { callbacksOnly: true },
  )
  t.teardown(() => source.close())
  start()
  await until(() => updates.length === 1)
  t.same(updates, [[{ host: '10.0.0.1', port: 8080, terminating: true }]])
})
