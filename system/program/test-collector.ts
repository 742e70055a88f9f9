// For tests only: an OTLP/HTTP collector on this machine that keeps what it gets.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as it comes over the wire, with its attributes by name. */
export interface CollectedSpan {
  readonly service: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code?: number; readonly message?: string }
  readonly attributes: Readonly<Record<string, unknown>>
}

export interface TestCollector {
  readonly endpoint: string
  readonly service: string
  /** What it answers; 200 takes. */
  status: number
  /** Bodies by path, of what it took. */
  readonly bodies: ReadonlyMap<string, readonly unknown[]>
  readonly spans: readonly CollectedSpan[]
}

/** Starts one on a free port; it ends with the test. */
export async function startCollector(owner: {
  teardown(close: () => unknown): void
}): Promise<TestCollector> {
  const bodies = new Map<string, unknown[]>()
  const spans: CollectedSpan[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request.setEncoding('utf8')) text += part
    const path = request.url ?? ''
    if (collector.status === 200) {
      const body = JSON.parse(text)
      bodies.set(path, [...(bodies.get(path) ?? []), body])
      if (path === '/v1/traces') spans.push(...readSpans(body))
    }
    response.writeHead(collector.status).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const collector: TestCollector = {
    endpoint: `http://127.0.0.1:${port}`,
    service: 'stepflow-test',
    status: 200,
    bodies,
    spans,
  }
  return collector
}

interface TracesBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<CollectedSpan, 'attributes'> & {
        readonly attributes: readonly Attribute[]
      })[]
    }[]
  }[]
}

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

function readSpans({ resourceSpans }: TracesBody): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        service: String(byName(resource.attributes)['service.name']),
        attributes: byName(span.attributes),
      })),
    ),
  )
}

function byName(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}
