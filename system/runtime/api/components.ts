// GET /components: what every plugin has, and by which paths flows reach it.

import { Type } from '@sinclair/typebox'
import type { Log } from '../../program/log.ts'
import { arrayOf, type Json, objectOf, quote, toJson } from '../../wire/json.ts'
import type { ComponentInfo, Plugin } from '../plugins/plugin.ts'
import type { Router } from '../plugins/router.ts'
import { readSwitch } from './query.ts'
import { listComponentsResponse } from './schemas.ts'
import type { ApiReply, ApiRoute } from './server.ts'

export interface ComponentApiParts {
  readonly plugins: ReadonlyMap<string, Plugin>
  readonly router: Router
  readonly log: Log
}

export function componentRoutes(parts: ComponentApiParts): ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/components',
      handle: ({ query }) =>
        listComponents(parts, readSwitch(new URLSearchParams(query), 'includeSchemas') ?? true),
      docs: {
        operation: 'list_components',
        summary: 'Components of all plugins; a plugin that cannot answer is left out',
        query: { includeSchemas: Type.Boolean({ default: true }) },
        replies: { 200: listComponentsResponse },
      },
    },
  ]
}

async function listComponents(
  { plugins, router, log }: ComponentApiParts,
  schemas: boolean,
): Promise<ApiReply> {
  const lists = await Promise.all(
    [...plugins].map(async ([name, plugin]) => {
      try {
        return (await plugin.components()).map((info) => ({
          info,
          paths: router.pathsOf(name, info.component),
        }))
      } catch (error) {
        log.warn({ plugin: name, error: String(error) }, 'plugin cannot list its components')
        return []
      }
    }),
  )
  const found = lists.flat().sort((a, b) => (a.info.component < b.info.component ? -1 : 1))
  const texts = found.map(({ info, paths }) => writeInfo(info, paths, schemas))
  return { status: 200, body: `{"components":${arrayOf(texts)}}` }
}

function writeInfo(info: ComponentInfo, paths: readonly string[], schemas: boolean): Json {
  return objectOf([
    ['component', quote(info.component)],
    ['description', info.description === undefined ? undefined : quote(info.description)],
    ['input_schema', schemas ? info.inputSchema : undefined],
    ['output_schema', schemas ? info.outputSchema : undefined],
    ['paths', paths.length === 0 ? undefined : toJson(paths)],
  ])
}
