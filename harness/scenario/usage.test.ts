// Tests of reading what pods hold: figures by role, and what is absent stays absent.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { askHealth, backendsOf, usageOf } from './usage.ts'

const text = [
  'stepflow_runtime_runs_in_flight 3',
  'stepflow_runtime_runs_waiting 0',
  'stepflow_runtime_runs_total{outcome="completed"} 9',
  'stepflow_lb_active_connections{backend="a"} 2',
  'stepflow_lb_active_connections{backend="b"} 4294967295',
  'stepflow_lb_backend_health{backend="127.0.0.1:1",instance_id="pod-a-1"} 1',
  'stepflow_lb_backend_health{backend="127.0.0.1:2",instance_id="pod-b-1"} 0',
  'stepflow_lb_backend_health{backend="127.0.0.1:3",instance_id=""} 0',
  'nodejs_heap_size_used_bytes 100',
  'nodejs_external_memory_bytes 20',
  'process_resident_memory_bytes 1000',
  'process_open_fds 30',
  'nodejs_active_resources{type="Timeout"} 7',
  'nodejs_active_resources{type="TCPSocketWrap"} 9',
].join('\n')

t.test('reads what a pod holds, by its role', async (t) => {
  t.same(usageOf(text, 'runtime'), {
    open: { 'runs in flight': 3, 'runs waiting': 0 },
    counted: { 'run.ended': 9 },
    heapBytes: 120,
    memoryBytes: 1000,
    timers: 7,
    files: 30,
  })
  t.equal(usageOf(text, 'balancer').open['requests in flight'], 4_294_967_297)
})

t.test('no timer at all is none, no list of them is unknown', async (t) => {
  t.equal(usageOf('nodejs_active_resources{type="TCPSocketWrap"} 9', 'runtime').timers, 0)
  t.notOk('timers' in usageOf('', 'runtime'))
})

t.test('files that a platform does not count are unknown', async (t) => {
  t.notOk('files' in usageOf('process_open_fds 0', 'runtime'))
})

t.test("reads a balancer's word on each instance that it knows", async (t) => {
  t.same(backendsOf(text), { 'pod-a-1': true, 'pod-b-1': false })
})

t.test('asks a pod whether it is ready', async (t) => {
  let status = 200
  const server = createServer((_request, response) => response.writeHead(status).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.equal(await askHealth(url), 'ready')
  status = 503
  t.equal(await askHealth(url), 'not ready')
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  t.equal(await askHealth(url), 'nothing')
})
