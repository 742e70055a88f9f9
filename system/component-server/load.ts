// Components from a user's own file: imported, found among its exports, or refused by name.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { GauntletError, GauntletErrors } from '../../contracts/errors.ts'
import type { Component } from './component.ts'
import type { ComponentSource } from './registry.ts'

/**
 * Imports a file (TypeScript or JavaScript). Its components are its named exports and its default export,
 * which is one component or an array of them.
 * @throws GauntletError ERR_COMPONENT naming the file and the export
 */
export async function loadComponents(file: string): Promise<ComponentSource> {
  let exports: Record<string, unknown>
  try {
    exports = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>
  } catch (error) {
    if (error instanceof GauntletError) throw error
    throw new GauntletError('ERR_COMPONENT', `cannot be imported: ${reasonOf(error)}`, {
      field: file,
      fix: 'see docs/components.md for a file that works',
      cause: error,
    })
  }
  const problems: GauntletError[] = []
  const components = Object.entries(exports).flatMap(([name, value]) => {
    const list = name === 'default' && Array.isArray(value) ? value : [value]
    return list.flatMap((item: unknown, index) => {
      if (isComponent(item)) return [item]
      const place = Array.isArray(value) ? `export ${name}[${index}]` : `export ${name}`
      // A named export may be a helper for another file; what stands in `default` is meant as a component.
      if (name === 'default' || looksLikeSpec(item)) {
        problems.push(
          new GauntletError('ERR_COMPONENT', `${place} is no component`, {
            field: file,
            fix: 'make it with component({ name, input, run })',
          }),
        )
      }
      return []
    })
  })
  // One that stands in `default` and under its own name is the same component, not two.
  const distinct = [...new Set(components)]
  const [first, ...rest] = problems
  if (first !== undefined) throw rest.length === 0 ? first : new GauntletErrors([first, ...rest])
  if (distinct.length === 0) {
    throw new GauntletError('ERR_COMPONENT', 'exports no component', {
      field: file,
      fix: 'export one made with component({ name, input, run })',
    })
  }
  return { from: file, components: distinct }
}

function isComponent(value: unknown): value is Component {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'component'
}

/** An object with `run` that nobody passed to component(). */
function looksLikeSpec(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'run' in value && typeof value.run === 'function'
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
