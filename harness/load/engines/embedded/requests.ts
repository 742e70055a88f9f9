// Makes the requests of a load: path, headers and the body of each arrival.

import type { LoadTarget, Workload } from '../../../../contracts/load.ts'

export interface Requests {
  readonly path: string
  readonly headers: Record<string, string>
  body(inputIndex: number, request: string): string
}

/** Requests of `target`; the flow of a `runs` target is registered already, as `flowId`. */
export function makeRequests(target: LoadTarget, workload: Workload, flowId: string): Requests {
  const inputs = workload.inputs.map((input) => JSON.stringify(input) ?? 'null')
  if (target.kind === 'runs') {
    const head = `{"flowId":${JSON.stringify(flowId)},"input":[`
    return {
      path: below(target.url, '/api/v1/runs'),
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: (index) => `${head}${inputs[index]}]}`,
    }
  }
  const component = JSON.stringify(target.component)
  return {
    path: below(target.url, '/'),
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: (index, request) =>
      `{"jsonrpc":"2.0","id":${JSON.stringify(request)},"method":"components/execute","params":` +
      `{"component":${component},"input":${inputs[index]},"attempt":1,"observability":{}}}`,
  }
}

function below(base: string, path: string): string {
  return `${new URL(base).pathname.replace(/\/$/, '')}${path}`
}
