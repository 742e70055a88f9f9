// The schemas of the API's requests and answers: requests are checked against them, the description shows all.

import { Type } from '@sinclair/typebox'
import { anyValue, exampleSchema, flowResultSchema, flowSchema } from '../../wire/flow-schema.ts'
import { nullable, oneOf } from '../../wire/json-shape.ts'
import { overridesSchema } from '../executor/overrides.ts'

const uuid = (description: string) => Type.String({ format: 'uuid', description })
const time = (description: string) => Type.String({ format: 'date-time', description })

export const runStatuses = ['running', 'completed', 'failed', 'cancelled', 'paused'] as const
const runStatus = oneOf(runStatuses, { title: 'ExecutionStatus' })

export const storeFlowRequest = Type.Object(
  {
    flow: flowSchema,
    dryRun: Type.Optional(Type.Boolean({ default: false, description: 'Check only, store nothing' })),
  },
  { title: 'StoreFlowRequest' },
)

const diagnostic = Type.Object(
  {
    kind: Type.String(),
    code: Type.Integer({ description: '1xxx warning, 2xxx error, 3xxx fatal' }),
    level: oneOf(['warning', 'error', 'fatal']),
    formatted: Type.String(),
    data: Type.Optional(anyValue),
    path: Type.Optional(Type.String()),
    experimental: Type.Optional(Type.Boolean()),
  },
  { title: 'Diagnostic' },
)

export const storeFlowResponse = Type.Object(
  {
    flowId: Type.String({ description: 'SHA-256 of the flow in normal form' }),
    stored: Type.Boolean({ description: 'False for a dry run and where a diagnostic is fatal' }),
    diagnostics: Type.Object(
      {
        diagnostics: Type.Array(diagnostic),
        numFatal: Type.Integer(),
        numError: Type.Integer(),
        numWarning: Type.Integer(),
      },
      { title: 'Diagnostics' },
    ),
  },
  { title: 'StoreFlowResponse' },
)

export const flowResponse = Type.Object(
  { flow: flowSchema, flowId: Type.String(), allExamples: Type.Optional(Type.Array(exampleSchema)) },
  { title: 'FlowResponse' },
)

export const createRunRequest = Type.Object(
  {
    flowId: Type.String(),
    input: Type.Unknown({ description: 'An array: one item each. Anything else: one item' }),
    overrides: Type.Optional(overridesSchema),
    variables: Type.Optional(
      Type.Record(Type.String(), anyValue, { description: 'Values of the flow\u2019s variables' }),
    ),
    maxConcurrency: Type.Optional(
      nullable(
        Type.Integer({ minimum: 1, default: 10, description: 'Steps at once, of the run and its sub-runs' }),
      ),
    ),
  },
  { title: 'CreateRunRequest' },
)

export const createRunResponse = Type.Object(
  {
    runId: uuid('Of the new run'),
    itemCount: Type.Integer(),
    result: Type.Optional(flowResultSchema),
    status: runStatus,
  },
  { title: 'CreateRunResponse' },
)

const summaryFields = {
  runId: uuid('Of the run'),
  flowId: Type.String(),
  flowName: nullable(Type.String()),
  status: runStatus,
  items: Type.Object(
    {
      total: Type.Integer(),
      completed: Type.Integer(),
      running: Type.Integer(),
      failed: Type.Integer(),
      cancelled: Type.Integer(),
    },
    { title: 'ItemStatistics' },
  ),
  createdAt: time('When it was accepted'),
  completedAt: nullable(time('When it ended')),
  rootRunId: uuid('The first of its tree; a run of the API is its own'),
  parentRunId: Type.Optional(uuid('The run whose step started it')),
}

export const runSummary = Type.Object(summaryFields, { title: 'RunSummary' })
export const runDetails = Type.Object(
  { ...summaryFields, inputs: Type.Array(anyValue), overrides: Type.Optional(overridesSchema) },
  { title: 'RunDetails' },
)
export const listRunsResponse = Type.Object({ runs: Type.Array(runSummary) }, { title: 'ListRunsResponse' })

export const listItemsResponse = Type.Object(
  {
    itemCount: Type.Integer(),
    items: Type.Array(
      Type.Object(
        {
          itemIndex: Type.Integer(),
          status: runStatus,
          result: Type.Optional(flowResultSchema),
          completedAt: Type.Optional(time('When it ended')),
        },
        { title: 'ItemResult' },
      ),
    ),
  },
  { title: 'ListItemsResponse' },
)

export const listStepsResponse = Type.Object(
  {
    steps: Type.Record(
      Type.String(),
      Type.Object(
        {
          stepId: Type.String(),
          component: Type.String(),
          status: oneOf(['blocked', 'runnable', 'running', 'completed', 'skipped', 'failed'], {
            title: 'StepStatus',
          }),
          result: Type.Optional(flowResultSchema),
        },
        { title: 'StepRunResponse' },
      ),
    ),
  },
  { title: 'ListStepRunsResponse' },
)

export const listComponentsResponse = Type.Object(
  {
    components: Type.Array(
      Type.Object(
        {
          component: Type.String({ description: 'Name in its plugin' }),
          description: Type.Optional(Type.String()),
          input_schema: Type.Optional(anyValue),
          output_schema: Type.Optional(anyValue),
          paths: Type.Optional(
            Type.Array(Type.String(), { description: 'What flows call it, by the routes' }),
          ),
        },
        { title: 'ComponentInfo' },
      ),
    ),
  },
  { title: 'ListComponentsResponse' },
)

export const healthResponse = Type.Object(
  { status: Type.String(), timestamp: time('Now'), version: Type.String() },
  { title: 'HealthResponse' },
)

export const errorResponse = Type.Object(
  {
    code: Type.Integer({ description: 'The HTTP status' }),
    message: Type.String(),
    stack: Type.Optional(
      Type.Array(
        Type.Object(
          { error: Type.String(), attachments: Type.Optional(Type.Array(Type.String())) },
          { title: 'ErrorStackEntry' },
        ),
      ),
    ),
  },
  { title: 'ErrorResponse' },
)
