// GET /health, at the root and under /api/v1.

import { wallNow, writeTime } from '../clock.ts'
import type { ApiRoute } from './server.ts'

/** The release whose wire this runtime speaks. */
export const stepflowVersion = '0.9.0'

export function healthRoutes(): ApiRoute[] {
  const handle = () => ({
    status: 200,
    body: JSON.stringify({
      status: 'healthy',
      timestamp: writeTime(wallNow(), '+00:00'),
      version: stepflowVersion,
    }),
  })
  return [
    { method: 'GET', path: '/health', handle },
    { method: 'GET', path: '/api/v1/health', handle },
  ]
}
