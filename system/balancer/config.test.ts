// The configuration file, and a reload of it under open connections.

import t from 'tap'
import { onePool } from './balancer.ts'
import { emptyConfig, parseConfig, readConfig } from './config.ts'
import { fakeNames, post, RawClient, startFor, startPod, takers, until } from './test-support.ts'

t.test('reads pools, rules and limits', async (t) => {
  const text = `
pools: { gpu: "gpu.test:8080, 10.0.0.1:1" }
rules:
  - component: "/gpu_*"
    pools: { gpu: 3, default: 1 }
accessLogEvery: 100
limits: { heartbeatMs: 15000 }
`
  t.same(parseConfig(text), {
    pools: {
      gpu: [
        { host: 'gpu.test', port: 8080 },
        { host: '10.0.0.1', port: 1 },
      ],
    },
    rules: [{ component: '/gpu_*', pools: { gpu: 3, default: 1 } }],
    accessLogEvery: 100,
    limits: { heartbeatMs: 15_000 },
  })
  t.same(parseConfig(''), emptyConfig)
})

t.test('names every problem at once', async (t) => {
  const wrong: Record<string, RegExp> = {
    'nope: 1': /nope: /,
    'limits: { nope: 1 }': /limits\.nope: /,
    'limits: { heartbeatMs: -1 }': /limits\.heartbeatMs: /,
    'pools: { gpu: "http://x" }': /pools\.gpu: is no host:port/,
    'pools: { default: "x:1" }': /pools\.default: is set by --upstream-service/,
    'rules: [{ component: "/x", pools: { gpu: 1 } }]': /rules\.0\.pools\.gpu: is no pool/,
    'rules: [{ component: "/x", pools: { default: 0 } }]': /rules\.0\.pools: names no pool/,
    'a: 1\nb: 2': /a: .*\n.*b: /,
  }
  for (const [text, message] of Object.entries(wrong)) {
    t.throws(() => parseConfig(text), { code: 'ERR_CONFIG_FIELD', message }, text)
  }
  t.throws(() => parseConfig('a: ['), { code: 'ERR_CONFIG_SYNTAX' })
  await t.rejects(readConfig('/nonexistent/balancer.yml'), { code: 'ERR_CONFIG_READ' })
})

t.test('a reload moves calls to another pool and loses no connection', async (t) => {
  const [main, gpu] = [await startPod(t, 'main'), await startPod(t, 'gpu')]
  const names = fakeNames([main])
  const gpuName = { host: '127.0.0.1', port: gpu.port }
  const balancer = await startFor(t, [main], {}, async (host, port) =>
    host === '127.0.0.1'
      ? { endpoints: [{ address: host, port }], ttlSeconds: 1 }
      : names.resolve(host, port),
  )
  const client = new RawClient(t, balancer.port)
  const call = async (component: string) => {
    client.write(post(JSON.stringify({ id: 1, method: 'components/execute', params: { component } })))
    return (await client.answer()).body
  }
  t.equal(await call('/gpu_x'), '{"pod":"main"}')
  const pools = onePool([{ host: 'pods.test', port: 1 }])
  balancer.reload({
    pools: { ...pools, gpu: [gpuName] },
    rules: [{ component: '/gpu_*', pools: { gpu: 1 } }],
  })
  await until(() => takers(balancer).length === 2)
  t.equal(await call('/gpu_x'), '{"pod":"gpu"}')
  t.equal(await call('/other'), '{"pod":"main"}')
  // A name that comes in two reads is waited for.
  const text = post(JSON.stringify({ id: 1, method: 'components/execute', params: { component: '/gpu_y' } }))
  client.write(text.slice(0, -10))
  await new Promise((resolve) => setTimeout(resolve, 20))
  client.write(text.slice(-10))
  t.equal((await client.answer()).body, '{"pod":"gpu"}')
  balancer.reload({ pools, rules: [] })
  await until(() => takers(balancer).length === 1)
  t.equal(await call('/gpu_x'), '{"pod":"main"}')
  t.equal(client.ended, false)
})

t.test('a limit that is left out of the next version has its default again', async (t) => {
  const pod = await startPod(t, 'a')
  const balancer = await startFor(t, [pod], { maxBodyBytes: 10 })
  const client = new RawClient(t, balancer.port)
  const call = async () => {
    client.write(post('x'.repeat(11)))
    return (await client.answer()).status
  }
  balancer.reload({ limits: { maxBodyBytes: 11 } })
  t.equal(await call(), 200)
  balancer.reload({})
  t.equal(await call(), 200)
  balancer.reload({ limits: { maxBodyBytes: 10 } })
  t.equal(await call(), 413)
})
