// Spans, metrics and log of all three programs at one collector: a run's trace from its request to the component.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type CollectedSpan, startCollector } from '../../system/program/test-collector.ts'
import { programEnv } from '../program-env.ts'
import { startBalancerProgram } from './balancer-program.ts'
import { configFor, oneStep, runFlow, send, startRuntime, startWorker } from './runtime-helpers.ts'

const componentServer = join(import.meta.dirname, '../../system/component-server/main.ts')
const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'
const storingTraceId = '0af7651916cd43dd8448eb211c80319d'

/** Everything to `endpoint`, by the variables of the original. */
const toCollector = (endpoint: string) => ({
  STEPFLOW_LOG_DESTINATION: 'otlp',
  STEPFLOW_OTHER_LOG_LEVEL: 'warn',
  STEPFLOW_TRACE_ENABLED: 'true',
  STEPFLOW_METRICS_ENABLED: 'true',
  STEPFLOW_OTLP_ENDPOINT: endpoint,
})

/** A component server on a free port, which its first line of output tells. */
async function startServer(t: Test, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [componentServer, '--port', '0', '--drain-delay-ms', '0'], {
    env: programEnv(env),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const [line] = await once(child.stdout, 'data')
  return { child, exited, address: `127.0.0.1:${JSON.parse(String(line)).port}` }
}

t.test('a trace goes on from the request over run, step and balancer to the component', async (t) => {
  const collector = await startCollector(t)
  const env = toCollector(collector.endpoint)
  const server = await startServer(t, { ...env, STEPFLOW_SERVICE_NAME: 'arithmetic' })
  const flags = ['--trace-enabled', '--drain-idle-ms', '0']
  const balancer = await startBalancerProgram(t, server.address, flags, {
    STEPFLOW_OTLP_ENDPOINT: collector.endpoint,
  })
  const runtime = startRuntime(t, configFor(`http://127.0.0.1:${balancer.port}`), [], env)
  const url = await runtime.url()
  const { flowId } = (await send(url, 'POST', '/api/v1/flows', { flow: oneStep('/w/double') })).json
  const body = { flowId, input: [{ value: 4 }] }
  const traceparent = `00-${traceId}-${parentId}-01`
  const { runId, status } = (await send(url, 'POST', '/api/v1/runs', body, { traceparent })).json
  t.equal(status, 'completed')
  await send(url, 'POST', '/api/v1/runs', body, { traceparent: traceparent.replace(/01$/, '00') })
  const storing = (
    await send(url, 'POST', '/api/v1/flows', { flow: oneStep('/w/store_and_retrieve_blob', { data: 1 }) })
  ).json
  await send(
    url,
    'POST',
    '/api/v1/runs',
    { flowId: storing.flowId, input: [null] },
    { traceparent: `00-${storingTraceId}-${parentId}-01` },
  )

  runtime.child.kill('SIGTERM')
  t.equal(await runtime.exited, 0)
  balancer.child.kill('SIGTERM')
  t.equal(await balancer.exit(), 0)
  server.child.kill('SIGTERM')
  t.same((await server.exited)[0], 0)
  const ofTrace = collector.spans.filter((span) => span.traceId === traceId)

  const [run, step, hop, call] = chain(ofTrace, parentId)
  t.match(
    [run, step, hop, call],
    [
      {
        service: 'stepflow-server',
        name: 'run_execution',
        kind: 2,
        attributes: { run_id: runId, flow_id: flowId },
      },
      {
        service: 'stepflow-server',
        name: 'step',
        kind: 3,
        attributes: { step_id: 's', component: '/double' },
      },
      { service: 'stepflow-load-balancer', name: 'POST', kind: 2 },
      { service: 'arithmetic', name: 'component:/double', kind: 2, attributes: { run_id: runId } },
    ],
  )
  t.equal(ofTrace.length, 4, 'and nothing of the run that was not sampled')

  const ofStoring = collector.spans.filter((span) => span.traceId === storingTraceId)
  const component = ofStoring.find(({ name }) => name === 'component:/store_and_retrieve_blob')
  const callbacks = ofStoring.filter(({ parentSpanId }) => parentSpanId === component?.spanId)
  t.match(
    callbacks,
    ['blobs/put', 'blobs/get'].map((name) => ({
      ...{ service: 'stepflow-server', name, kind: 2 },
      attributes: { step_id: 's', component: '/store_and_retrieve_blob', pod: /./ },
    })),
    'what the component asks hangs under its span',
  )

  const logs = JSON.stringify(collector.bodies.get('/v1/logs'))
  t.match(logs, /"stepflow-server".*"serving".*"stopped"/)
  t.match(logs, /"arithmetic".*"listening"/)
  t.same(runtime.lines, [`{"port":${new URL(url).port}}`], 'no log line is left on standard output')
  const metrics = JSON.stringify(collector.bodies.get('/v1/metrics'))
  t.match(metrics, /"stepflow_runtime_runs_total"/)
  t.match(metrics, /"stepflow_component_server_calls_total"/)
})

/** The spans below `parent`, each under the one before. */
function chain(spans: readonly CollectedSpan[], parent: string): CollectedSpan[] {
  const next = spans.find(({ parentSpanId }) => parentSpanId === parent)
  return next === undefined ? [] : [next, ...chain(spans, next.spanId)]
}

/** The spans among lines of the log. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
function spansOf(lines: readonly string[]): any[] {
  return lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'span')
}

t.test('without a collector spans go into the log, under the run’s own id and with sub-runs', async (t) => {
  const config = { plugins: { b: { type: 'builtin' } }, routes: { '/{*component}': [{ plugin: 'b' }] } }
  const runtime = startRuntime(t, config, ['--trace-enabled'])
  const workflow = oneStep('/put_blob', { data: 1, blob_type: 'data' })
  const run = await runFlow(
    await runtime.url(),
    oneStep('/map', { workflow: { $literal: workflow }, items: [1] }),
  )
  const spans = spansOf(runtime.lines)
  const byParent = (id: string | null) => spans.find((span) => span.parentId === id)
  const top = byParent(null)
  t.match(top, { name: 'run_execution', runId: run.json.runId, traceId: run.json.runId.replaceAll('-', '') })
  const map = byParent(top.spanId)
  const sub = byParent(map.spanId)
  t.match([map, sub], [{ component: '/map' }, { parentRunId: run.json.runId, kind: 'internal' }])
  t.match(byParent(sub.spanId), { component: '/put_blob', traceId: top.traceId })
})

t.test(
  'each callback has a span, which says what it was answered, and the run it starts hangs under it',
  async (t) => {
    const worker = await startWorker(t, async ({ params, stream, callback, id }) => {
      const write = stream()
      const { flowId } = params['input'] as { flowId: string }
      const ids = params['observability'] as object
      await callback(write, 'runs/submit', { flowId, inputs: [1], wait: true })
      await callback(write, 'runs/get', {
        runId: 'none',
        observability: { ...ids, span_id: 'b7ad6b7169203332' },
      })
      await callback(write, 'blobs/get', { blob_id: 'x', observability: { ...ids, trace_id: traceId } })
      await callback(write, 'blobs/put', { observability: 1 })
      await callback(write, 'no/such', {})
      write({ id, result: { output: null } })
    })
    const runtime = startRuntime(t, configFor(worker.url), ['--trace-enabled'])
    const url = await runtime.url()
    const { flowId } = (await send(url, 'POST', '/api/v1/flows', { flow: { output: 1 } })).json
    await runFlow(url, oneStep('/w/x', { flowId }))
    const spans = spansOf(runtime.lines)
    const step = spans.find(({ name }) => name === 'step')
    const outcomes = spans
      .filter(({ kind, name }) => kind === 'server' && name !== 'run_execution')
      .map(({ name, parentId, problem, ...rest }) => [name, parentId, problem, rest['error.type']])
    t.same(outcomes, [
      ['runs/submit', step.spanId, null, null],
      ['runs/get', 'b7ad6b7169203332', "Invalid value for field 'run_id': expected valid UUID", '-32012'],
      ['blobs/get', step.spanId, 'Failed to get blob', '-32000'],
      ['blobs/put', step.spanId, 'Invalid parameters for request blobs/put', '-32602'],
      ['no/such', step.spanId, 'Method not found: no/such', '-32601'],
    ])
    const submit = spans.find(({ name }) => name === 'runs/submit')
    t.match(submit, { traceId: step.traceId, stepId: 's', component: '/x', attempt: 1, pod: 'pod-1' })
    t.match(
      spans.find(({ parentId }) => parentId === submit.spanId),
      { name: 'run_execution', flowId },
    )
  },
)

t.test('a step that no route leads to has a span that says so', async (t) => {
  const config = { plugins: { b: { type: 'builtin' } }, routes: { '/b/{*component}': [{ plugin: 'b' }] } }
  const runtime = startRuntime(t, config, ['--trace-enabled'])
  await runFlow(await runtime.url(), oneStep('/nowhere/x'))
  const [step, run] = spansOf(runtime.lines)
  t.match(step, {
    ...{ name: 'step', kind: 'internal', parentId: run.spanId, stepId: 's', component: '/nowhere/x' },
    'error.type': 'unrouted',
    problem: 'error routing component: No matching rule found for component: /nowhere/x',
  })
})

t.test('what needs a collector is refused without one', async (t) => {
  const runtime = startRuntime(t, {}, ['--metrics-enabled'], { STEPFLOW_LOG_DESTINATION: 'otlp' })
  t.equal(await runtime.exited, 2)
  t.match(runtime.stderr(), /--metrics-enabled: .*ERR_FLAG_VALUE.*\n.*--log-destination: .*ERR_FLAG_VALUE/)
})
