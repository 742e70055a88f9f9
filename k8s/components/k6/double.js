// Runs of one step, `double`, at a fixed arrival rate: 100 requests a second for each of three component servers.
//
//   RATE requests/s [default 300]   DURATION [default 60s]   TARGET [default the runtime's Service]

import { check } from 'k6'
import http from 'k6/http'

const base = __ENV.TARGET || 'http://stepflow-server:7840'
const headers = { 'content-type': 'application/json' }

export const options = {
  scenarios: {
    double: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE || 300),
      timeUnit: '1s',
      duration: __ENV.DURATION || '60s',
      preAllocatedVUs: 50,
      maxVUs: 500,
    },
  },
  thresholds: {
    checks: ['rate==1'],
    // A planned start that found no free client was not offered: the measurement would flatter.
    dropped_iterations: ['count==0'],
  },
}

export function setup() {
  const flow = {
    name: 'double',
    steps: [{ id: 'double', component: '/python/double', input: { $from: { workflow: 'input' } } }],
    output: { $from: { step: 'double' } },
  }
  const answer = http.post(`${base}/api/v1/flows`, JSON.stringify({ flow }), { headers })
  if (answer.status !== 200) throw new Error(`the flow was refused: ${answer.status} ${answer.body}`)
  return { flowId: answer.json('flowId') }
}

export default function ({ flowId }) {
  const value = Math.floor(Math.random() * 1_000_000)
  const answer = http.post(`${base}/api/v1/runs`, JSON.stringify({ flowId, input: { value } }), { headers })
  check(answer, {
    'the value is doubled': () => answer.status === 200 && answer.json('result.result.result') === 2 * value,
  })
}
