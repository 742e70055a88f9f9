// The API's description, made of the routes and the schemas that check requests, and a page to read it.

import type { TSchema } from '@sinclair/typebox'
import { stepflowVersion } from './health.ts'
import {
  type Content,
  type Description,
  type Operation,
  type Parameter,
  type Schema,
  writePage,
} from './page.ts'
import { errorResponse } from './schemas.ts'
import type { ApiRoute, RouteDocs } from './server.ts'

/** Adds the description of `routes`, and the page, to them. `port` is asked when the description is. */
export function withDescription(routes: readonly ApiRoute[], port: () => number): ApiRoute[] {
  const describe = (): Description => writeDescription(routes, port())
  return [
    ...routes,
    {
      method: 'GET',
      path: '/api/v1/openapi.json',
      handle: () => ({ status: 200, body: JSON.stringify(describe()) }),
      docs: { operation: 'get_description', summary: 'This description', replies: { 200: 'OpenAPI 3.1' } },
    },
    {
      method: 'GET',
      path: '/swagger-ui',
      handle: () => ({ status: 303, body: '', headers: ['location', '/swagger-ui/'] }),
      docs: { operation: 'find_page', summary: 'To the page', replies: { 303: 'To the page' } },
    },
    {
      method: 'GET',
      path: '/swagger-ui/',
      handle: () => ({ status: 200, type: 'text/html; charset=utf-8', body: writePage(describe()) }),
      docs: { operation: 'get_page', summary: 'A page to read this description', replies: { 200: 'HTML' } },
    },
  ]
}

function writeDescription(routes: readonly ApiRoute[], port: number): Description {
  const named = new Map<string, unknown>()
  const paths: Record<string, Record<string, Operation>> = {}
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
    components: {
      schemas: Object.fromEntries(
        [...named].sort(([a], [b]) => (a < b ? -1 : 1)),
      ) as Description['components']['schemas'],
    },
  }
}

function templateOf({ path, docs }: ApiRoute): string {
  let index = 0
  return path.replaceAll('/:', () => `/{${docs.path?.[index++] ?? 'id'}}`)
}

const tags: Readonly<Record<string, string>> = { runs: 'Run', flows: 'Flow', components: 'Component' }

function operationOf({ method, path, docs }: ApiRoute, named: Map<string, unknown>): Operation {
  const optional = (place: string, list: RouteDocs['query'] = {}): Parameter[] =>
    Object.entries(list).map(([name, schema]) => ({
      ...{ name, in: place, required: false },
      schema: schemaOf(schema, named) as Schema,
    }))
  const parameters: Parameter[] = [
    ...(docs.path ?? []).map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...optional('query', docs.query),
    ...optional('header', docs.headers),
  ]
  return {
    tags: [tags[path.split('/')[3] ?? ''] ?? 'health'],
    operationId: docs.operation,
    summary: docs.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(docs.body === undefined
      ? {}
      : { requestBody: { required: true, content: bodyOf(docs, docs.body, named) } }),
    responses: responsesOf({ ...refusalsOf(method, docs), ...docs.replies }, named),
  }
}

/** What any request of such a route may get before its handler has it. */
function refusalsOf(method: ApiRoute['method'], docs: RouteDocs): RouteDocs['replies'] {
  return {
    ...(docs.query === undefined ? {} : { 400: 'A query that cannot be read' }),
    ...(docs.body === undefined
      ? {}
      : {
          400: 'A body that is no JSON',
          413: 'A body of more than 2 MiB',
          415: 'A body of another type',
          422: 'A body of another shape',
        }),
    ...(method === 'POST' ? { 503: errorResponse } : {}),
  }
}

function bodyOf(docs: RouteDocs, body: TSchema, named: Map<string, unknown>): Content {
  const json = contentOf(body, named)
  if (docs.yaml === undefined) return json
  return { ...json, 'application/yaml': { schema: schemaOf(docs.yaml, named) as Schema } }
}

function responsesOf(replies: RouteDocs['replies'], named: Map<string, unknown>): Operation['responses'] {
  return Object.fromEntries(
    Object.entries(replies).map(([status, reply]) => [
      status,
      typeof reply === 'string'
        ? { description: reply }
        : { description: reply.title ?? '', content: contentOf(reply, named) },
    ]),
  )
}

function contentOf(schema: TSchema, named: Map<string, unknown>): Content {
  return { 'application/json': { schema: schemaOf(schema, named) as Schema } }
}

/** What only our own check reads. */
const ownKeywords: ReadonlySet<string> = new Set(['discriminator', 'expecting'])

/** The schema with everything that has a title put under `components`. */
function schemaOf(schema: unknown, named: Map<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((item) => schemaOf(item, named))
  if (typeof schema !== 'object' || schema === null) return schema
  const { title } = schema as { title?: string }
  const body = (): unknown =>
    Object.fromEntries(
      Object.entries(schema)
        .filter(([key]) => !ownKeywords.has(key))
        .map(([key, value]) => [key, schemaOf(value, named)]),
    )
  if (title === undefined) return body()
  if (!named.has(title)) {
    named.set(title, {})
    named.set(title, body())
  }
  return { $ref: `#/components/schemas/${title}` }
}
