// stepflow-config.yml: text to a checked configuration; problems name the line.

import { type Document, isMap, LineCounter, type YAMLMap } from 'yaml'
import { GauntletError, GauntletErrors } from '../../contracts/errors.ts'
import { type Json, jsonNull, kindOf, members, stringOf, unquote } from '../wire/json.ts'
import { type JsonPath, parsePath, wholePath } from '../wire/json-path.ts'
import { nodeToJson, parseYaml, YamlError } from '../wire/json-yaml.ts'
import type { MockAnswer, MockComponent } from './plugins/mock.ts'
import type { CallTimeouts } from './plugins/plugin.ts'
import { type Route, type RouteRule, routeProblems } from './plugins/router.ts'

export type PluginConfig =
  | { readonly kind: 'builtin'; readonly name: string }
  | {
      readonly kind: 'stepflow'
      readonly name: string
      readonly url: URL
      readonly connectMs: number
      readonly timeouts: CallTimeouts
    }
  | ({
      readonly kind: 'launched'
      readonly name: string
      readonly healthPath: string
      readonly healthTimeoutMs: number
      readonly healthRetryMs: number
      readonly connectMs: number
      readonly timeouts: CallTimeouts
    } & Command)
  | { readonly kind: 'mock'; readonly name: string; readonly components: readonly MockComponent[] }
  | ({ readonly kind: 'mcp'; readonly name: string; readonly timeouts: CallTimeouts } & Command)

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  /** All of the child's environment. */
  readonly env: Readonly<Record<string, string>>
}

/** ms a connection may take to come about. */
const defaultConnectMs = 2_000

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
  const document = readYaml(text, lines)
  const reader = new Reader(document, lines)
  const root = reader.object(plainNumbers(document.toJS({ maxAliasCount: 100 })), [])
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
  const names = new Set(Object.keys(reader.object(root['plugins'] ?? {}, ['plugins'])))
  for (const { place, problem, fix } of routeProblems(routes, names)) {
    reader.problem(['routes', ...place], problem, fix)
  }
  const [first, ...rest] = reader.problems
  if (first !== undefined) throw rest.length === 0 ? first : new GauntletErrors([first, ...rest])
  return { plugins, routes, workingDirectory, warnings: reader.warnings }
}

function readYaml(text: string, lines: LineCounter): Document.Parsed {
  try {
    return parseYaml(text, lines)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new GauntletError('ERR_CONFIG_SYNTAX', error.message, { field: `config line ${error.line}` })
  }
}

/** Integers are read as bigint, for what must be exact; settings are not that large. */
function plainNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plainNumbers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainNumbers(inner)]))
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

  /** ms; absent where it is not given. */
  ms(value: unknown, path: Path): number | undefined {
    if (value === undefined || value === null) return undefined
    if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 2 ** 31) return value
    this.problem(path, `got ${describe(value)}`, 'write milliseconds, at least 1')
    return undefined
  }

  /** A part of the document as JSON, exactly as written. */
  json(path: Path): Json {
    return this.nodeJson(this.#document.getIn(path, true), path)
  }

  nodeJson(node: unknown, path: Path): Json {
    try {
      return nodeToJson(node, this.#document, this.#lines)
    } catch (error) {
      if (!(error instanceof YamlError)) throw error
      this.problem(path, error.message, 'write what JSON can hold')
      return jsonNull
    }
  }

  /** A map of the document with its keys as they are, which may be maps themselves. */
  map(path: Path): YAMLMap | null {
    const node = this.#document.getIn(path, true)
    return isMap(node) ? node : null
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
    case 'stepflow':
      return fields['command'] == null
        ? readStepflow(reader, name, fields, env)
        : readLaunched(reader, name, fields, env)
    case 'mock':
      reader.unknown(fields, path, ['type', 'components'])
      return { kind: 'mock', name, components: readMocks(reader, [...path, 'components'], fields) }
    case 'mcp':
      reader.unknown(fields, path, ['type', 'transport', 'command', 'args', 'env', 'timeouts'])
      return {
        kind: 'mcp',
        name,
        ...readCommand(reader, path, fields, env),
        timeouts: readTimeouts(reader, fields['timeouts'], [...path, 'timeouts']).timeouts,
      }
    default:
      reader.problem(
        [...path, 'type'],
        fields['type'] === undefined
          ? 'missing field `type`'
          : `unknown variant \`${String(fields['type'])}\``,
        'use one of stepflow, builtin, mock, mcp',
      )
      return null
  }
}

type Env = Readonly<Record<string, string | undefined>>
type Fields = Readonly<Record<string, unknown>>

function readStepflow(reader: Reader, name: string, fields: Fields, env: Env): PluginConfig | null {
  const path = ['plugins', name]
  // `transport: http` is how older lines said what a URL says by itself.
  reader.unknown(fields, path, ['type', 'transport', 'url', 'timeouts'])
  const at = [...path, 'url']
  const text = substitute(reader, reader.text(fields['url'], at), at, env)
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    if (fields['url'] !== undefined) reader.problem(at, `got ${text}`, 'write http://host:port')
    return null
  }
  return { kind: 'stepflow', name, url, ...readTimeouts(reader, fields['timeouts'], [...path, 'timeouts']) }
}

function readLaunched(reader: Reader, name: string, fields: Fields, env: Env): PluginConfig {
  const path = ['plugins', name]
  // Where both are given the command wins.
  const known = ['type', 'transport', 'url', 'command', 'args', 'env', 'healthCheck', 'timeouts']
  reader.unknown(fields, path, known)
  const at = [...path, 'healthCheck']
  const health = reader.object(fields['healthCheck'] ?? {}, at)
  reader.unknown(health, at, ['path', 'timeoutMs', 'retryDelayMs'])
  return {
    kind: 'launched',
    name,
    ...readCommand(reader, path, fields, env),
    healthPath: health['path'] == null ? '/health' : reader.text(health['path'], [...at, 'path']),
    healthTimeoutMs: reader.ms(health['timeoutMs'], [...at, 'timeoutMs']) ?? 60_000,
    healthRetryMs: reader.ms(health['retryDelayMs'], [...at, 'retryDelayMs']) ?? 100,
    ...readTimeouts(reader, fields['timeouts'], [...path, 'timeouts']),
  }
}

function readTimeouts(
  reader: Reader,
  value: unknown,
  path: Path,
): { readonly connectMs: number; readonly timeouts: CallTimeouts } {
  const fields = reader.object(value ?? {}, path)
  reader.unknown(fields, path, ['connectMs', 'stepMs', 'firstByteMs', 'idleMs'])
  const stepMs = reader.ms(fields['stepMs'], [...path, 'stepMs'])
  const firstByteMs = reader.ms(fields['firstByteMs'], [...path, 'firstByteMs'])
  const idleMs = reader.ms(fields['idleMs'], [...path, 'idleMs'])
  return {
    connectMs: reader.ms(fields['connectMs'], [...path, 'connectMs']) ?? defaultConnectMs,
    timeouts: {
      ...(stepMs === undefined ? {} : { stepMs }),
      ...(firstByteMs === undefined ? {} : { firstByteMs }),
      ...(idleMs === undefined ? {} : { idleMs }),
    },
  }
}

function readCommand(reader: Reader, path: Path, fields: Fields, env: Env): Command {
  const args = fields['args'] == null ? [] : reader.texts(fields['args'], [...path, 'args'])
  const variables = Object.entries(reader.object(fields['env'] ?? {}, [...path, 'env']))
  return {
    command: reader.text(fields['command'], [...path, 'command']),
    args: args.map((arg, index) => substitute(reader, arg, [...path, 'args', index], env)),
    env: Object.fromEntries(
      variables.map(([key, value]) => {
        const at = [...path, 'env', key]
        return [key, substitute(reader, reader.text(value, at), at, env)]
      }),
    ),
  }
}

function readMocks(reader: Reader, path: Path, fields: Fields): MockComponent[] {
  return Object.entries(reader.object(fields['components'], path)).map(([name, value]) => {
    const at = [...path, name]
    const parts = reader.object(value, at)
    for (const part of ['input_schema', 'output_schema', 'behaviors']) {
      if (parts[part] === undefined) reader.problem(at, `missing field \`${part}\``, `add ${part}:`)
    }
    const place = [...at, 'behaviors']
    return {
      name,
      inputSchema: reader.json([...at, 'input_schema']),
      outputSchema: reader.json([...at, 'output_schema']),
      behaviors: (reader.map(place)?.items ?? []).map((pair) => ({
        input: reader.nodeJson(pair.key, place),
        answer: readAnswer(reader, reader.nodeJson(pair.value, place), place),
      })),
    }
  })
}

function readAnswer(reader: Reader, json: Json, path: Path): MockAnswer {
  const fields = new Map(members(json))
  const error = fields.get('error')
  if (fields.get('outcome') === '"success"') {
    return { kind: 'success', value: fields.get('result') ?? jsonNull }
  }
  if (fields.get('outcome') === '"failed"' && error !== undefined) {
    const parts = new Map(members(error))
    const data = parts.get('data')
    return {
      kind: 'failed',
      error: {
        code: Number(parts.get('code') ?? 0),
        message: stringOf(parts.get('message')) ?? '',
        ...(data === undefined ? {} : { data }),
      },
    }
  }
  if (error !== undefined && kindOf(error) === 'string') return { kind: 'broken', text: unquote(error) }
  reader.problem(path, `got ${json.slice(0, 80)}`, 'write {outcome: success, result: ...} or {error: text}')
  return { kind: 'broken', text: '' }
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
    const known = ['plugin', 'component', 'componentAllow', 'componentDeny', 'conditions', 'timeouts']
    reader.unknown(fields, place, known)
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
      timeouts: readTimeouts(reader, fields['timeouts'], [...place, 'timeouts']).timeouts,
      conditions: conditions.map((condition, number) => {
        const at = [...place, 'conditions', number]
        const parts = reader.object(condition, at)
        return {
          path: readPath(reader, reader.text(parts['path'], [...at, 'path']), [...at, 'path']),
          value: parts['value'] === undefined ? jsonNull : reader.json([...at, 'value']),
        }
      }),
    }
  })
  return { pattern, rules }
}

function readPath(reader: Reader, text: string, place: Path): JsonPath {
  try {
    return parsePath(text)
  } catch (error) {
    if (!(error instanceof GauntletError)) throw error
    reader.problem(place, error.problem, 'write a path like $.model or $.items[0]')
    return wholePath
  }
}
