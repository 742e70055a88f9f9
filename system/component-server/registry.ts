// The components a server has, by path, and the list it tells of them.

import { GauntletError } from '../../contracts/errors.ts'
import { type Json, toJson } from '../wire/json.ts'
import type { Component } from './component.ts'

export interface Registry {
  readonly byPath: ReadonlyMap<string, Component>
  /** JSON text of `components/list`. */
  readonly list: Json
}

/** Where components came from, for errors: a file's name, or `built in`. */
export interface ComponentSource {
  readonly from: string
  readonly components: readonly Component[]
}

/** @throws GauntletError ERR_COMPONENT where two have one name */
export function createRegistry(sources: readonly ComponentSource[]): Registry {
  const byPath = new Map<string, Component>()
  const origin = new Map<string, string>()
  for (const { from, components } of sources) {
    for (const component of components) {
      const earlier = origin.get(component.path)
      if (earlier !== undefined) {
        throw new GauntletError('ERR_COMPONENT', `${component.path} is there already, from ${earlier}`, {
          field: from,
          value: component.path,
          fix: 'give it another name',
        })
      }
      origin.set(component.path, from)
      byPath.set(component.path, component)
    }
  }
  return { byPath, list: toJson([...byPath.values()].map(componentInfo)) }
}

/** What `components/list` and `components/info` say of one. */
export function componentInfo({ path, description, inputSchema, outputSchema }: Component): object {
  return { component: path, description, input_schema: inputSchema, output_schema: outputSchema }
}
