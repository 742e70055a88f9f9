// GET /health, at the root and under /api/v1.

import { Type } from '@sinclair/typebox'
import { wallNow, writeTime } from '../clock.ts'
import { newId } from '../ids.ts'
import { readQuery } from './query.ts'
import { errorResponse, healthResponse } from './schemas.ts'
import type { ApiReply, ApiRequest, ApiRoute } from './server.ts'

/** The release whose wire this runtime speaks. */
export const stepflowVersion = '0.9.0'

export function healthRoutes(): ApiRoute[] {
  const docs = {
    operation: 'health_check',
    summary: 'Whether the runtime is up',
    query: { error: Type.String({ description: 'Answers with an error, to try clients with' }) },
    replies: { 200: healthResponse, 404: errorResponse, 500: errorResponse },
  }
  return [
    { method: 'GET', path: '/health', handle: answerHealth, docs },
    { method: 'GET', path: '/api/v1/health', handle: answerHealth, docs },
  ]
}

function answerHealth({ query }: ApiRequest): ApiReply {
  const error = readQuery(new URLSearchParams(query), 'error')
  if (error !== undefined) return trialError(error)
  const body = { status: 'healthy', timestamp: writeTime(wallNow(), '+00:00'), version: stepflowVersion }
  return { status: 200, body: JSON.stringify(body) }
}

/** The errors that clients can ask for, to see how they cope with each shape. */
function trialError(error: string): ApiReply {
  const id = newId()
  const missing = `Execution '${id}' not found`
  const known: Readonly<Record<string, readonly [status: number, ...stack: readonly object[]]>> = {
    bad_request: [
      404,
      {
        error: 'Bad request triggered for testing',
        attachments: [
          'Layer 2: Simulating validation failure',
          'Layer 1: User requested error via ?error=bad_request',
          'This is a test error with multiple layers',
        ],
      },
      { error: missing },
    ],
    not_found: [
      404,
      { error: missing, attachments: [`Looking for execution: ${id}`, 'Test execution not found'] },
    ],
    stack: [
      404,
      {
        error: missing,
        attachments: [
          'Top layer: Execution not found',
          'Middle layer: Connection refused',
          'Bottom layer: Database permission denied',
          'Complex error stack for testing',
        ],
      },
      { error: 'State store unavailable' },
      { error: 'Database connection failed' },
    ],
  }
  const generic = {
    error: 'Generic test error',
    attachments: [`Requested error type: ${error}`, 'Unknown error type requested'],
  }
  const [code, ...stack] = (Object.hasOwn(known, error) ? known[error] : undefined) ?? [500, generic]
  const { error: message } = (stack[0] ?? generic) as { error: string }
  return { status: code, body: JSON.stringify({ code, message, stack }) }
}
