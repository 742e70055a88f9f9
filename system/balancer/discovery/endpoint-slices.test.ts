// EndpointSlices, from an API server of the test's own.

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type Owner, silentLog, until } from '../test-support.ts'
import {
  type EndpointSlice,
  EndpointSliceSource,
  inClusterApi,
  parseServiceName,
  podsOfSlices,
} from './endpoint-slices.ts'
import type { Found, PodSource } from './source.ts'

type Conditions = { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean }

function slice(
  name: string,
  ...endpoints: (readonly [address: string, conditions?: Conditions])[]
): EndpointSlice {
  return {
    metadata: { name },
    ports: [{ port: 8080 }],
    endpoints: endpoints.map(([address, conditions = { ready: true }]) => ({
      addresses: [address],
      conditions,
    })),
  }
}

const text = (found: readonly Found[] | undefined): string[] =>
  (found ?? [])
    .map(({ host, port, terminating }) => `${host}:${port}${terminating ? ' terminating' : ''}`)
    .sort()

t.test('reads serving, terminating and ready', async (t) => {
  const found = podsOfSlices(
    [
      slice(
        'a',
        ['10.0.0.1'],
        ['10.0.0.2', { ready: false, serving: true, terminating: true }],
        ['10.0.0.3', { ready: false, serving: false, terminating: true }],
        ['10.0.0.4', { ready: false, serving: false, terminating: false }],
        ['10.0.0.5', {}],
      ),
      slice('b', ['fd00::1'], ['10.0.0.2']),
    ],
    8080,
  )
  t.same(text(found), ['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.5:8080', 'fd00::1:8080'])
  t.same(
    text(podsOfSlices([slice('a', ['10.0.0.2', { ready: false, serving: true, terminating: true }])], 8080)),
    ['10.0.0.2:8080 terminating'],
  )
})

t.test('takes the slice that has several ports by the Service’s', async (t) => {
  const several = { ...slice('a', ['10.0.0.1']), ports: [{ port: 9000 }, { port: 8080 }] }
  t.same(text(podsOfSlices([several], 8080)), ['10.0.0.1:8080'])
  t.same(text(podsOfSlices([several], 80)), ['10.0.0.1:9000'])
})

t.test('knows the names of Services', async (t) => {
  t.same(parseServiceName('component-server.stepflow-demo.svc.cluster.local'), {
    service: 'component-server',
    namespace: 'stepflow-demo',
  })
  t.same(parseServiceName('a.b.svc'), { service: 'a', namespace: 'b' })
  for (const name of ['localhost', '10.0.0.1', 'a.b', 'a.b.example']) t.equal(parseServiceName(name), null)
})

t.test('finds the API of its cluster, or none', async (t) => {
  t.equal(await inClusterApi({}), null)
  const folder = mkdtempSync(join(tmpdir(), 'account-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const env = { KUBERNETES_SERVICE_HOST: '10.43.0.1', KUBERNETES_SERVICE_PORT: '443' }
  t.equal(await inClusterApi(env, folder), null)
  writeFileSync(join(folder, 'token'), 'secret\n')
  writeFileSync(join(folder, 'ca.crt'), 'PEM')
  const api = await inClusterApi(env, folder)
  t.match(api, { base: 'https://10.43.0.1:443', ca: 'PEM' })
  t.equal(await api?.token(), 'secret')
})

/** An API server with one Service, whose list and watches the test controls. */
async function startApi(owner: Owner, retryMs = 10) {
  const watches: ServerResponse[] = []
  const paths: string[] = []
  const state = { status: 200, items: [] as EndpointSlice[] }
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    if (request.headers.authorization !== 'Bearer secret') response.writeHead(401).end()
    else if (state.status !== 200) response.writeHead(state.status).end()
    else if (request.url?.includes('watch=true')) {
      response.writeHead(200).flushHeaders()
      watches.push(response)
    } else response.end(JSON.stringify({ metadata: { resourceVersion: '7' }, items: state.items }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const updates: (readonly Found[])[] = []
  const dns = { started: false, closed: false, found: (_: readonly Found[]) => {} }
  const fallback: PodSource = {
    start(update) {
      dns.started = true
      dns.found = update
    },
    async refresh() {},
    close() {
      dns.closed = true
    },
  }
  const source = new EndpointSliceSource({
    api: { base, token: async () => 'secret', ca: undefined },
    service: 'component-server',
    namespace: 'stepflow-demo',
    port: 8080,
    fallback,
    counts: { discoveries: 0, discoveryFailures: 0 },
    log: silentLog,
    retryMs,
  })
  owner.teardown(() => source.close())
  const change = (type: string, object: unknown) =>
    watches.at(-1)!.write(`${JSON.stringify({ type, object })}\n`)
  return {
    source,
    state,
    watches,
    paths,
    updates,
    dns,
    change,
    start: () => source.start((found) => updates.push(found)),
  }
}

t.test('lists, then follows every change, however its lines are cut', async (t) => {
  const { state, start, updates, change, watches, paths } = await startApi(t)
  state.items = [slice('a', ['10.0.0.1'])]
  start()
  await until(() => watches.length === 1)
  t.match(
    paths[0],
    '/namespaces/stepflow-demo/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dcomponent-server',
  )
  t.match(paths[1], 'resourceVersion=7')
  t.same(text(updates.at(-1)), ['10.0.0.1:8080'])
  change('MODIFIED', slice('a', ['10.0.0.1'], ['10.0.0.2']))
  await until(() => updates.length === 2)
  t.same(text(updates.at(-1)), ['10.0.0.1:8080', '10.0.0.2:8080'])
  change('BOOKMARK', { metadata: { resourceVersion: '9' } })
  const line = `${JSON.stringify({ type: 'ADDED', object: slice('b', ['10.0.0.3']) })}\n`
  watches[0]!.write(line.slice(0, 20))
  await new Promise((resolve) => setTimeout(resolve, 20))
  watches[0]!.write(line.slice(20))
  await until(() => updates.length === 3)
  change('DELETED', slice('a'))
  await until(() => updates.length === 4)
  t.same(text(updates.at(-1)), ['10.0.0.3:8080'])
})

t.test('keeps the last good set over an empty one, a lost watch and a version that is too old', async (t) => {
  const { state, start, updates, change, watches, dns } = await startApi(t)
  state.items = [slice('a', ['10.0.0.1'])]
  start()
  await until(() => watches.length === 1)
  change('MODIFIED', slice('a'))
  state.items = [slice('a', ['10.0.0.4'])]
  change('ERROR', { message: 'too old resource version' })
  await until(() => watches.length === 2)
  t.same(updates.map(text), [['10.0.0.1:8080'], ['10.0.0.4:8080']])
  watches[1]!.destroy()
  await until(() => watches.length === 3)
  t.same(text(updates.at(-1)), ['10.0.0.4:8080'])
  t.equal(dns.started, false)
})

t.test('without permission DNS has to do, until there is one', async (t) => {
  const { state, start, updates, dns, watches } = await startApi(t)
  state.status = 403
  start()
  await until(() => dns.started)
  dns.found([{ host: '10.0.0.9', port: 8080, terminating: false }])
  t.same(text(updates.at(-1)), ['10.0.0.9:8080'])
  state.items = [slice('a', ['10.0.0.1'])]
  state.status = 200
  await until(() => watches.length === 1)
  t.equal(dns.closed, true)
  t.same(text(updates.at(-1)), ['10.0.0.1:8080'])
})

t.test('a watch that ends at once is not begun again at once', async (t) => {
  const { state, start, watches } = await startApi(t, 200)
  state.items = [slice('a', ['10.0.0.1'])]
  start()
  await until(() => watches.length === 1)
  const begunAt = performance.now()
  for (let count = 1; count <= 3; count++) {
    watches.at(-1)!.end()
    await until(() => watches.length === count + 1)
  }
  const tookMs = performance.now() - begunAt
  t.ok(tookMs >= 590, `${tookMs} ms`)
})
