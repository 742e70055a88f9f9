// stepflow-config.yml: text to a checked configuration; problems name the line.

import { type Document, isMap, LineCounter, parseDocument } from 'yaml'
import { GauntletError, GauntletErrors } from '../../contracts/errors.ts'
import { toJson } from '../wire/json.ts'
import { parsePath } from '../wire/json-path.ts'
import type { Route, RouteRule } from './plugins/router.ts'

export type PluginConfig =
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'stepflow'; readonly name: string; readonly url: URL }

export interface RuntimeConfig {
  readonly plugins: readonly PluginConfig[]
  readonly routes: readonly Route[]
  /** Null: the folder of the configuration file. */
  readonly workingDirectory: string | null
  /** Keys that nobody reads, for the log. */
  readonly warnings: readonly string[]
}

/** Without any configuration: the built-ins, and no route to them. */
export const emptyConfig: RuntimeConfig = {
  plugins: [{ kind: 'builtin', name: 'builtin' }],
  routes: [],
  workingDirectory: null,
  warnings: [],
}

/**
 * @param text YAML or JSON
 * @param env what `${NAME}` and `$NAME` stand for
 * @throws GauntletErrors ERR_CONFIG_SYNTAX or ERR_CONFIG_FIELD, every problem at once
 */
export function parseConfig(
  text: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): RuntimeConfig {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [syntax] = document.errors
  if (syntax !== undefined) {
    throw new GauntletError('ERR_CONFIG_SYNTAX', syntax.message, {
      field: `config line ${lines.linePos(syntax.pos[0]).line}`,
    })
  }
  const reader = new Reader(document, lines)
  const root = reader.object(document.toJS({ maxAliasCount: 100 }), [])
  const plugins = Object.entries(reader.section(root, 'plugins')).flatMap(([name, value]) => {
    const plugin = readPlugin(reader, name, value, env)
    return plugin === null ? [] : [plugin]
  })
  const routes = Object.entries(reader.section(root, 'routes')).map(([pattern, value]) =>
    readRoute(reader, pattern, value),
  )
  const store = reader.object(root['stateStore'] ?? {}, ['stateStore'])
  if (store['type'] !== undefined && store['type'] !== 'inMemory') {
    reader.problem(['stateStore', 'type'], `unknown variant \`${String(store['type'])}\``, 'use inMemory')
  }
  const workingDirectory =
    root['workingDirectory'] == null ? null : reader.text(root['workingDirectory'], ['workingDirectory'])
  reader.unknown(root, [], ['plugins', 'routes', 'stateStore', 'workingDirectory'])
  reader.unknown(store, ['stateStore'], ['type'])
  const [first, ...rest] = reader.problems
  if (first !== undefined) throw rest.length === 0 ? first : new GauntletErrors([first, ...rest])
  return { plugins, routes, workingDirectory, warnings: reader.warnings }
}

type Path = readonly (string | number)[]

class Reader {
  readonly problems: GauntletError[] = []
  readonly warnings: string[] = []
  readonly #document: Document.Parsed
  readonly #lines: LineCounter

  constructor(document: Document.Parsed, lines: LineCounter) {
    this.#document = document
    this.#lines = lines
  }

  problem(path: Path, problem: string, fix: string): void {
    this.problems.push(
      new GauntletError('ERR_CONFIG_FIELD', problem, {
        field: `${path.length === 0 ? 'config' : path.join('.')} (line ${this.#lineOf(path)})`,
        fix,
      }),
    )
  }

  object(value: unknown, path: Path): Record<string, unknown> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>
    }
    this.problem(path, `got ${describe(value)}`, 'write a map of keys to values')
    return {}
  }

  /** A section that must be there. */
  section(root: Record<string, unknown>, name: string): Record<string, unknown> {
    if (root[name] !== undefined && root[name] !== null) return this.object(root[name], [name])
    this.problem([], `missing field \`${name}\``, `add ${name}:`)
    return {}
  }

  text(value: unknown, path: Path): string {
    if (typeof value === 'string') return value
    this.problem(path, value === undefined ? 'is missing' : `got ${describe(value)}`, 'write text')
    return ''
  }

  texts(value: unknown, path: Path): readonly string[] {
    if (Array.isArray(value)) return value.map((item, index) => this.text(item, [...path, index]))
    this.problem(path, `got ${describe(value)}`, 'write a list of texts')
    return []
  }

  list(value: unknown, path: Path): readonly unknown[] {
    if (Array.isArray(value)) return value
    this.problem(path, value === undefined ? 'is missing' : `got ${describe(value)}`, 'write a list')
    return []
  }

  /** This format is shared with Stepflow: keys it does not know are passed over with a warning. */
  unknown(value: Record<string, unknown>, path: Path, known: readonly string[]): void {
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue
      const place = [...path, key]
      this.warnings.push(`${place.join('.')} (line ${this.#lineOf(place)})`)
    }
  }

  #lineOf(path: Path): number {
    for (let length = path.length; length > 0; length--) {
      const parent = this.#document.getIn(path.slice(0, length - 1), true)
      const key = path[length - 1]
      const pair = isMap(parent) ? parent.items.find((item) => String(item.key) === String(key)) : undefined
      const node = (pair?.key ?? this.#document.getIn(path.slice(0, length), true)) as
        | { range?: readonly [number, number, number] | null }
        | undefined
      if (node?.range) return this.#lines.linePos(node.range[0]).line
    }
    return 1
  }
}

function describe(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80)
}

function readPlugin(
  reader: Reader,
  name: string,
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
): PluginConfig | null {
  const path = ['plugins', name]
  const fields = reader.object(value, path)
  switch (fields['type']) {
    case 'builtin':
      reader.unknown(fields, path, ['type'])
      return { kind: 'builtin', name }
    case 'stepflow': {
      // `transport: http` is how older lines said what a URL says by itself.
      reader.unknown(fields, path, ['type', 'transport', 'url'])
      const text = substitute(reader, reader.text(fields['url'], [...path, 'url']), [...path, 'url'], env)
      const url = URL.canParse(text) ? new URL(text) : null
      if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
        if (fields['url'] !== undefined) {
          reader.problem([...path, 'url'], `got ${text}`, 'write http://host:port')
        }
        return null
      }
      return { kind: 'stepflow', name, url }
    }
    default:
      reader.problem(
        [...path, 'type'],
        fields['type'] === undefined
          ? 'missing field `type`'
          : `unknown variant \`${String(fields['type'])}\``,
        'use one of builtin, stepflow',
      )
      return null
  }
}

/** `${X}`, `$X`, `${X:default}` and `${X:-default}`; `$$` is a dollar sign. */
export function substitute(
  reader: Pick<Reader, 'problem'>,
  text: string,
  path: Path,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return text.replace(
    /\$(?:\$|\{([A-Za-z_]\w*)(?::-?([^}]*))?\}|([A-Za-z_]\w*))/g,
    (whole, braced: string | undefined, byDefault: string | undefined, bare: string | undefined) => {
      if (whole === '$$') return '$'
      const value = env[braced ?? bare ?? '']
      if (value !== undefined) return value
      if (byDefault !== undefined) return byDefault
      reader.problem(
        path,
        `invalid environment variable: ${whole}`,
        'set it, or write a default after a colon',
      )
      return ''
    },
  )
}

function readRoute(reader: Reader, pattern: string, value: unknown): Route {
  const path = ['routes', pattern]
  const rules = reader.list(value, path).map((item, index): RouteRule => {
    const place = [...path, index]
    const fields = reader.object(item, place)
    reader.unknown(fields, place, ['plugin', 'component', 'componentAllow', 'componentDeny', 'conditions'])
    const conditions = fields['conditions'] === undefined ? [] : reader.list(fields['conditions'], place)
    return {
      plugin: reader.text(fields['plugin'], [...place, 'plugin']),
      component:
        fields['component'] == null ? null : reader.text(fields['component'], [...place, 'component']),
      allow:
        fields['componentAllow'] == null
          ? null
          : reader.texts(fields['componentAllow'], [...place, 'componentAllow']),
      deny:
        fields['componentDeny'] == null
          ? null
          : reader.texts(fields['componentDeny'], [...place, 'componentDeny']),
      conditions: conditions.map((condition, number) => {
        const at = [...place, 'conditions', number]
        const parts = reader.object(condition, at)
        return {
          path: parsePath(reader.text(parts['path'], [...at, 'path'])),
          value: toJson(parts['value'] ?? null),
        }
      }),
    }
  })
  return { pattern, rules }
}
