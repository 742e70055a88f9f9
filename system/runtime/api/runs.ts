// /runs: starting runs, waiting for them, and looking at them.

import {
  arrayOf,
  elements,
  type Json,
  kindOf,
  members,
  objectOf,
  quote,
  toJson,
  unquote,
} from '../../wire/json.ts'
import { writeTime } from '../clock.ts'
import type { Executor } from '../executor/executor.ts'
import { writeOutcome } from '../executor/failure.ts'
import type { Run } from '../executor/run.ts'
import { readUuid } from '../ids.ts'
import type { BlobStore } from '../store/blobs.ts'
import type { RunStore } from '../store/runs.ts'
import { jsonError, readJsonBody, shapeError, textError } from './errors.ts'
import type { ApiReply, ApiRequest, ApiRoute } from './server.ts'

export interface RunApiParts {
  readonly blobs: BlobStore
  readonly runs: RunStore
  readonly executor: Executor
}

export function runRoutes(parts: RunApiParts): ApiRoute[] {
  const withRun =
    (answer: (run: Run) => ApiReply) =>
    ({ parameters: [id = ''] }: ApiRequest): ApiReply => {
      const uuid = readUuid(id)
      if (uuid === null) {
        return textError(
          400,
          `Invalid URL: Cannot parse \`run_id\` with value \`${id}\`: UUID parsing failed`,
        )
      }
      const run = parts.runs.get(uuid)
      return run === undefined ? jsonError(404, `Execution '${uuid}' not found`, true) : answer(run)
    }
  return [
    { method: 'POST', path: '/api/v1/runs', handle: (request) => createRun(parts, request) },
    {
      method: 'GET',
      path: '/api/v1/runs/:',
      handle: withRun((run) => ({ status: 200, body: writeDetails(run) })),
    },
    {
      method: 'GET',
      path: '/api/v1/runs/:/items',
      handle: withRun((run) => ({ status: 200, body: writeItems(run) })),
    },
    {
      method: 'GET',
      path: '/api/v1/runs/:/steps',
      handle: withRun((run) => ({ status: 200, body: writeSteps(run) })),
    },
    {
      method: 'GET',
      path: '/api/v1/runs/:/flow',
      handle: withRun((run) => ({
        status: 200,
        body: `{"flow":${run.plan.flow.json},"flowId":"${run.plan.flow.id}"}`,
      })),
    },
  ]
}

function createRun(parts: RunApiParts, request: ApiRequest): ApiReply | Promise<ApiReply> {
  const read = readJsonBody(request)
  if ('refusal' in read) return read.refusal
  let flowId: Json | undefined
  let input: Json | undefined
  let concurrency: Json | undefined
  for (const [key, value] of members(read.json)) {
    if (key === 'flowId') flowId = value
    else if (key === 'input') input = value
    else if (key === 'maxConcurrency') concurrency = value
  }
  if (flowId === undefined) return shapeError('missing field `flowId`')
  if (kindOf(flowId) !== 'string')
    return shapeError(`flowId: invalid type: ${kindOf(flowId)}, expected a string`)
  if (input === undefined) return shapeError('missing field `input`')
  const limit = concurrency === undefined || concurrency === 'null' ? undefined : Number(concurrency)
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 0)) {
    return shapeError(`maxConcurrency: invalid value: ${concurrency}, expected usize`)
  }
  if (limit === 0) return jsonError(400, 'maxConcurrency must be at least 1')
  const id = unquote(flowId)
  const flow = parts.blobs.get(id)?.flow
  if (flow === undefined || flow === null) return jsonError(404, `Workflow '${id}' not found`, true)
  const run = parts.executor.submit({
    flow,
    // A single input that is no array is how older lines asked for a run of one item.
    inputs: kindOf(input) === 'array' ? elements(input) : [input],
    ...(limit === undefined ? {} : { maxConcurrency: limit }),
  })
  if (/(?:^|[,;\s])respond-async(?:$|[,;\s])/i.test(String(request.headers['prefer'] ?? ''))) {
    return {
      status: 202,
      body: writeCreated(run),
      headers: ['location', `/api/v1/runs/${run.id}`, 'preference-applied', 'respond-async'],
    }
  }
  if (run.status !== 'running') return { status: 200, body: writeCreated(run) }
  return new Promise((resolve) => {
    run.whenEnded(() => resolve({ status: 200, body: writeCreated(run) }))
  })
}

/** The answer to POST /runs; the result stands in it when there is one item. */
function writeCreated(run: Run): string {
  const outcome = run.inputs.length === 1 ? run.outcome(0) : undefined
  const result = outcome === undefined ? '' : `,"result":${writeOutcome(outcome)}`
  return `{"runId":"${run.id}","itemCount":${run.inputs.length}${result},"status":"${run.status}"}`
}

function summaryFields(run: Run): [string, Json | undefined][] {
  const { flow } = run.plan
  return [
    ['runId', quote(run.id)],
    ['flowId', quote(flow.id)],
    ['flowName', toJson(flow.name)],
    ['status', quote(run.status)],
    ['items', toJson(countItems(run))],
    ['createdAt', quote(writeTime(run.createdAt))],
    ['completedAt', toJson(run.completedAt === null ? null : writeTime(run.completedAt))],
    ['rootRunId', quote(run.rootRunId)],
    ['parentRunId', run.parentRunId === null ? undefined : quote(run.parentRunId)],
  ]
}

export function countItems(run: Run): Record<string, number> {
  const counts = { total: run.inputs.length, completed: 0, running: 0, failed: 0, cancelled: 0 }
  for (let item = 0; item < run.inputs.length; item++) {
    const outcome = run.outcome(item)
    if (outcome !== undefined) counts[outcome.ok ? 'completed' : 'failed']++
    else counts[run.status === 'cancelled' ? 'cancelled' : 'running']++
  }
  return counts
}

export function writeSummary(run: Run): Json {
  return objectOf(summaryFields(run))
}

function writeDetails(run: Run): Json {
  return objectOf([
    ...summaryFields(run),
    ['inputs', arrayOf(run.inputs)],
    ['overrides', run.overrides ?? undefined],
  ])
}

function writeItems(run: Run): Json {
  const items = run.inputs.map((_, item) => {
    const outcome = run.outcome(item)
    const at = run.endedAt(item)
    const open = run.status === 'cancelled' ? 'cancelled' : 'running'
    return objectOf([
      ['itemIndex', toJson(item)],
      ['status', quote(outcome === undefined ? open : outcome.ok ? 'completed' : 'failed')],
      ['result', outcome === undefined ? undefined : writeOutcome(outcome)],
      ['completedAt', at === undefined ? undefined : quote(writeTime(at))],
    ])
  })
  return objectOf([
    ['itemCount', toJson(run.inputs.length)],
    ['items', arrayOf(items)],
  ])
}

function writeSteps(run: Run): Json {
  const steps = run.plan.steps.map(({ step }, index): [string, Json] => {
    const outcome = run.stepOutcome(index)
    return [
      step.id,
      objectOf([
        ['stepId', quote(step.id)],
        ['component', quote(step.component)],
        ['status', quote(run.stepStatus(index))],
        ['result', outcome === undefined ? undefined : writeOutcome(outcome)],
      ]),
    ]
  })
  return objectOf([['steps', objectOf(steps)]])
}
