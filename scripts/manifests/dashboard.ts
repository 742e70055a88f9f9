// Writes Grafana's dashboard from the list of its panels: node scripts/manifests/dashboard.ts. check:manifests runs it with
// --check, and has promtool parse each query.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One panel: a query for each line of it; `{{label}}` names a line. */
export interface Panel {
  readonly title: string
  readonly unit: 'reqps' | 's' | 'ms' | 'short' | 'bytes' | 'percentunit'
  readonly lines: readonly (readonly [query: string, legend: string])[]
}

const here = 'namespace="$namespace"'

export const rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[] = [
  {
    title: 'Runs',
    panels: [
      {
        title: 'Runs ended',
        unit: 'reqps',
        lines: [[`sum by (outcome) (rate(stepflow_runtime_runs_total{${here}}[1m]))`, '{{outcome}}']],
      },
      {
        title: 'Duration of a run',
        unit: 's',
        lines: ([0.5, 0.95, 0.99] as const).map((quantile) => [
          `histogram_quantile(${quantile}, sum by (le) (rate(stepflow_runtime_run_duration_seconds_bucket{${here}}[1m])))`,
          `p${quantile * 100}`,
        ]),
      },
      {
        title: 'Runs in flight and waiting',
        unit: 'short',
        lines: [
          [`sum(stepflow_runtime_runs_in_flight{${here}})`, 'in flight'],
          [`sum(stepflow_runtime_runs_waiting{${here}})`, 'waiting'],
        ],
      },
      {
        title: 'Callbacks, from their arrival to the end of their reply',
        unit: 's',
        lines: [
          [
            `histogram_quantile(0.95, sum by (le) (rate(stepflow_runtime_callback_duration_seconds_bucket{${here}}[1m])))`,
            'p95',
          ],
        ],
      },
    ],
  },
  {
    title: 'Balancers',
    panels: [
      {
        title: 'Requests by pod',
        unit: 'reqps',
        lines: [[`sum by (backend) (rate(stepflow_lb_requests_total{${here}}[1m]))`, '{{backend}}']],
      },
      {
        title: 'Duration of a request, p95',
        unit: 'ms',
        lines: [
          [
            `histogram_quantile(0.95, sum by (le, pod) (rate(stepflow_lb_request_duration_ms_bucket{${here}}[1m])))`,
            '{{pod}}',
          ],
        ],
      },
      {
        title: 'Pods that take new work, as each balancer sees it',
        unit: 'short',
        lines: [[`max by (pod) (stepflow_lb_backend_pool_size{${here}})`, '{{pod}}']],
      },
      {
        title: 'Open streams',
        unit: 'short',
        lines: [[`sum by (pod) (stepflow_lb_open_streams{${here}})`, '{{pod}}']],
      },
      {
        title: 'Errors of the balancer itself',
        unit: 'reqps',
        lines: [
          [`sum by (reason) (rate(stepflow_lb_refusals_total{${here}}[1m]))`, '{{reason}}'],
          [`sum(rate(stepflow_lb_lost_callbacks_total{${here}}[1m]))`, 'lost callbacks'],
          [`sum(rate(stepflow_lb_broken_answers_total{${here}}[1m]))`, 'broken answers'],
        ],
      },
    ],
  },
  {
    title: 'Component servers',
    panels: [
      {
        title: 'Calls by component',
        unit: 'reqps',
        lines: [
          [`sum by (component) (rate(stepflow_component_server_calls_total{${here}}[1m]))`, '{{component}}'],
        ],
      },
      {
        title: 'Duration of a call, p95',
        unit: 's',
        lines: [
          [
            `histogram_quantile(0.95, sum by (le, component) (rate(stepflow_component_server_call_duration_seconds_bucket{${here}}[1m])))`,
            '{{component}}',
          ],
        ],
      },
      {
        title: 'Open streams by pod: what the autoscaler goes by',
        unit: 'short',
        lines: [[`sum by (pod) (stepflow_component_server_streams_open{${here}})`, '{{pod}}']],
      },
    ],
  },
  {
    title: 'Processes',
    panels: [
      {
        title: 'CPU',
        unit: 'short',
        lines: [[`sum by (pod) (rate(process_cpu_seconds_total{${here}}[1m]))`, '{{pod}}']],
      },
      {
        title: 'Memory',
        unit: 'bytes',
        lines: [[`sum by (pod) (process_resident_memory_bytes{${here}})`, '{{pod}}']],
      },
      {
        title: 'Event loop, p99',
        unit: 's',
        lines: [[`max by (pod) (nodejs_eventloop_lag_p99_seconds{${here}})`, '{{pod}}']],
      },
    ],
  },
]

const width = 8
const height = 8
const datasource = { type: 'prometheus', uid: '$datasource' }

/** Grafana's JSON of a dashboard, as its provisioning takes it. */
export function dashboard(): unknown {
  let y = 0
  let id = 1
  const panels = rows.flatMap(({ title, panels }) => {
    const top = { id: id++, type: 'row', title, gridPos: { x: 0, y: y++, w: 24, h: 1 } }
    const inside = panels.map((panel, index) => ({
      id: id++,
      type: 'timeseries',
      title: panel.title,
      datasource,
      gridPos: {
        x: (index * width) % 24,
        y: y + Math.floor((index * width) / 24) * height,
        w: width,
        h: height,
      },
      fieldConfig: { defaults: { unit: panel.unit, min: 0 }, overrides: [] },
      targets: panel.lines.map(([expr, legendFormat], line) => ({
        refId: String.fromCharCode(65 + line),
        datasource,
        expr,
        legendFormat,
      })),
    }))
    y += Math.ceil((panels.length * width) / 24) * height
    return [top, ...inside]
  })
  return {
    uid: 'stepflow',
    title: 'Stepflow',
    tags: ['stepflow'],
    schemaVersion: 39,
    refresh: '10s',
    time: { from: 'now-30m', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        {
          name: 'namespace',
          type: 'query',
          datasource,
          query: 'label_values(stepflow_lb_backend_pool_size, namespace)',
          refresh: 1,
        },
      ],
    },
    panels,
  }
}

export const dashboardFile = join(import.meta.dirname, '../../k8s/components/observability/dashboard.json')

if (import.meta.main) {
  const text = `${JSON.stringify(dashboard(), null, 2)}\n`
  if (!process.argv.includes('--check')) writeFileSync(dashboardFile, text)
  else if (JSON.stringify(JSON.parse(readFileSync(dashboardFile, 'utf8'))) !== JSON.stringify(dashboard())) {
    console.error(
      'k8s/components/observability/dashboard.json is not what scripts/manifests/dashboard.ts makes; run it',
    )
    process.exitCode = 1
  }
}
