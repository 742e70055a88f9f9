// The API's description, made of the routes and the schemas that check requests, and a page to read it.

import type { TSchema } from '@sinclair/typebox'
import { stepflowVersion } from './health.ts'
import type { ApiReply, ApiRoute, RouteDocs } from './server.ts'

/** Adds the description of `routes`, and the page, to them. `port` is asked when the description is. */
export function withDescription(routes: readonly ApiRoute[], port: () => number): ApiRoute[] {
  const describe = (): string => JSON.stringify(writeDescription(routes, port()))
  return [
    ...routes,
    {
      method: 'GET',
      path: '/api/v1/openapi.json',
      handle: () => ({ status: 200, body: describe() }),
      docs: { summary: 'This description', replies: { 200: 'OpenAPI 3.1' } },
    },
    {
      method: 'GET',
      path: '/swagger-ui',
      handle: () => ({ status: 303, body: '', headers: ['location', '/swagger-ui/'] }),
      docs: { summary: 'To the page', replies: { 303: 'To the page' } },
    },
    {
      method: 'GET',
      path: '/swagger-ui/',
      handle: () => readingPage(routes),
      docs: { summary: 'A page to read this description', replies: { 200: 'HTML' } },
    },
  ]
}

function writeDescription(routes: readonly ApiRoute[], port: number): object {
  const named = new Map<string, unknown>()
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    if (!route.path.startsWith('/api/v1/')) continue
    const path = templateOf(route).slice('/api/v1'.length)
    const methods = (paths[path] ??= {})
    methods[route.method.toLowerCase()] = operationOf(route, named)
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Stepflow API', version: stepflowVersion },
    servers: [{ url: `http://localhost:${port}/api/v1` }],
    paths,
    components: { schemas: Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1))) },
  }
}

function templateOf({ path, docs }: ApiRoute): string {
  let index = 0
  return path.replaceAll('/:', () => `/{${docs.path?.[index++] ?? 'id'}}`)
}

function operationOf({ docs }: ApiRoute, named: Map<string, unknown>): object {
  const parameters = [
    ...(docs.path ?? []).map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...Object.entries(docs.query ?? {}).map(([name, schema]) => ({
      name,
      in: 'query',
      required: false,
      schema: schemaOf(schema, named),
    })),
  ]
  return {
    summary: docs.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(docs.body === undefined
      ? {}
      : { requestBody: { required: true, content: contentOf(docs.body, named) } }),
    responses: responsesOf(docs, named),
  }
}

function responsesOf(docs: RouteDocs, named: Map<string, unknown>): object {
  return Object.fromEntries(
    Object.entries(docs.replies).map(([status, reply]) => [
      status,
      typeof reply === 'string'
        ? { description: reply }
        : { description: reply.title ?? '', content: contentOf(reply, named) },
    ]),
  )
}

function contentOf(schema: TSchema, named: Map<string, unknown>): object {
  return { 'application/json': { schema: schemaOf(schema, named) } }
}

/** The schema with everything that has a title put under `components`. */
function schemaOf(schema: unknown, named: Map<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((item) => schemaOf(item, named))
  if (typeof schema !== 'object' || schema === null) return schema
  const { title } = schema as { title?: string }
  const body = (): unknown =>
    Object.fromEntries(
      Object.entries(schema)
        .filter(([key]) => key !== 'discriminator')
        .map(([key, value]) => [key, schemaOf(value, named)]),
    )
  if (title === undefined) return body()
  if (!named.has(title)) {
    named.set(title, {})
    named.set(title, body())
  }
  return { $ref: `#/components/schemas/${title}` }
}

/** One page without scripts: each route with what it takes and gives. */
function readingPage(routes: readonly ApiRoute[]): ApiReply {
  const rows = routes
    .filter((route) => route.path.startsWith('/api/v1/'))
    .map((route) => {
      const { docs } = route
      const replies = Object.entries(docs.replies)
        .map(([status, reply]) => `${status} ${typeof reply === 'string' ? reply : (reply.title ?? '')}`)
        .join(', ')
      const query = Object.keys(docs.query ?? {})
      return [
        `<h2><code>${route.method} ${escapeHtml(templateOf(route))}</code></h2>`,
        `<p>${escapeHtml(docs.summary)}</p>`,
        query.length === 0 ? '' : `<p>Query: ${query.map((name) => `<code>${name}</code>`).join(', ')}</p>`,
        docs.body === undefined
          ? ''
          : `<details><summary>Body: ${docs.body.title ?? ''}</summary><pre>${escapeHtml(JSON.stringify(docs.body, null, 2))}</pre></details>`,
        `<p>Answers: ${escapeHtml(replies)}</p>`,
      ].join('\n')
    })
  const style =
    'body{font:16px/1.5 system-ui;max-width:50rem;margin:2rem auto;padding:0 1rem}h2{margin-top:2rem}'
  return {
    status: 200,
    type: 'text/html; charset=utf-8',
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>Stepflow API</title><style>${style}</style>
<h1>Stepflow API ${stepflowVersion}</h1><p>The whole of it as <a href="/api/v1/openapi.json">OpenAPI</a>.</p>
${rows.join('\n')}</html>`,
  }
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`)
}
