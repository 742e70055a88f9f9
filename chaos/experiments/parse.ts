// Reads an experiment file: every problem is told with its line and field, and none is guessed away.

import { isCollection, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import { GauntletError, GauntletErrors } from '../../contracts/errors.ts'
import type { Role } from '../../contracts/history.ts'
import type { Fault } from '../faults/index.ts'
import { settingsOf } from '../faults/settings.ts'
import {
  type Condition,
  type Experiment,
  type ExperimentLoad,
  metrics,
  type PlacedFault,
  type Trigger,
  workloads,
} from './model.ts'

export interface KnownNames {
  readonly faults: Readonly<Record<string, Fault>>
  readonly checkers: readonly string[]
}

const roles: readonly Role[] = ['runtime', 'balancer', 'component-server']
const defaults = { durationMs: 8_000, forMs: 2_000, recoverWithinMs: 3_000, pods: 3 }

type Path = readonly (string | number)[]

/**
 * @param file its name, for the problems
 * @throws GauntletErrors ERR_CONFIG_SYNTAX, ERR_CONFIG_FIELD, ERR_CONFIG_RANGE; each with `file:line field`
 */
export function parseExperiment(text: string, file: string, known: KnownNames): Experiment {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const problems: GauntletError[] = document.errors.map(
    (error) =>
      new GauntletError('ERR_CONFIG_SYNTAX', error.message, {
        field: `${file}:${lines.linePos(error.pos[0]).line}`,
        fix: 'mend the YAML',
      }),
  )
  const reader = new Reader(document.contents as Node | null, file, lines, problems)
  const experiment = problems.length === 0 ? read(reader, document.toJS() as unknown, known) : null
  const [first, ...rest] = problems
  if (first !== undefined) throw rest.length === 0 ? first : new GauntletErrors([first, ...rest])
  return experiment!
}

/** Takes values out of the document and notes what is wrong with them. */
class Reader {
  readonly #root: Node | null
  readonly #file: string
  readonly #lines: LineCounter
  readonly #problems: GauntletError[]

  constructor(root: Node | null, file: string, lines: LineCounter, problems: GauntletError[]) {
    this.#root = root
    this.#file = file
    this.#lines = lines
    this.#problems = problems
  }

  /** `file:line field` of a path; of one that is not there, its nearest parent's line. */
  place(path: Path): string {
    const name = path.reduce<string>(
      (text, part) =>
        typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`,
      '',
    )
    let node: Node | null = this.#root
    let offset = node?.range?.[0] ?? 0
    for (const part of path) {
      if (!isCollection(node)) break
      const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && key.value === part) : undefined
      const keyRange = isScalar(pair?.key) ? pair.key.range : undefined
      node = (node.get(part, true) as Node | undefined) ?? null
      offset = keyRange?.[0] ?? node?.range?.[0] ?? offset
    }
    return `${this.#file}:${this.#lines.linePos(offset).line} ${name}`.trim()
  }

  problem(path: Path, problem: string, fix: string): void {
    this.#problems.push(new GauntletError('ERR_CONFIG_FIELD', problem, { field: this.place(path), fix }))
  }

  add(problems: readonly GauntletError[]): void {
    this.#problems.push(...problems)
  }

  object(value: unknown, path: Path, keys: readonly string[]): Readonly<Record<string, unknown>> {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      this.problem(path, 'is no mapping', `write ${keys.join(', ')}`)
      return {}
    }
    for (const key of Object.keys(value)) {
      if (!keys.includes(key)) this.problem([...path, key], 'is not known', `use ${keys.join(', ')}`)
    }
    return value as Record<string, unknown>
  }

  list(value: unknown, path: Path): readonly unknown[] {
    if (value === undefined) return []
    if (Array.isArray(value)) return value
    this.problem(path, 'is no list', 'write one, each member after a dash')
    return []
  }

  text(value: unknown, path: Path): string {
    if (typeof value === 'string' && value.trim() !== '') return value
    this.problem(path, value === undefined ? 'is missing' : `got ${JSON.stringify(value)}`, 'write a text')
    return ''
  }

  oneOf<T extends string>(value: unknown, path: Path, choices: readonly T[]): T {
    if (typeof value === 'string' && (choices as readonly string[]).includes(value)) return value as T
    const got = value === undefined ? 'is missing' : `got ${JSON.stringify(value)}`
    this.problem(path, got, `use ${choices.join(', ')}`)
    return choices[0]!
  }

  number(value: unknown, path: Path, least: number, most: number): number {
    if (typeof value === 'number' && value >= least && value <= most) return value
    const got = value === undefined ? 'is missing' : `got ${JSON.stringify(value)}`
    this.problem(path, got, `use a number from ${least} to ${most}`)
    return least
  }

  /** `2s`, `500ms`, `1m` in ms. */
  duration(value: unknown, path: Path, otherwise: number | null): number {
    if (value === undefined && otherwise !== null) return otherwise
    const match = typeof value === 'string' ? /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(value) : null
    const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? '']
    if (match !== null && unit !== undefined) return Math.round(Number(match[1]) * unit)
    const got = value === undefined ? 'is missing' : `got ${JSON.stringify(value)}`
    this.problem(path, got, 'use a number with ms, s, m or h, e.g. 2s')
    return 0
  }
}

function read(reader: Reader, value: unknown, known: KnownNames): Experiment {
  const keys = [
    'name',
    'description',
    'duration',
    'replicas',
    'load',
    'steady',
    'faults',
    'stop',
    'blastRadius',
    'expect',
  ]
  const root = reader.object(value, [], keys)
  const loads = reader.list(root['load'], ['load']).map((one, i) => readLoad(reader, one, ['load', i]))
  if (loads.length === 0)
    reader.problem(['load'], 'is empty', 'offer at least one load: without, nothing is proved')
  const loadNames = loads.map(({ name }) => name)
  const conditions = (given: unknown, path: Path): readonly Condition[] =>
    reader.list(given, path).map((one, i) => readCondition(reader, one, [...path, i], loadNames))
  const durationMs = reader.duration(root['duration'], ['duration'], defaults.durationMs)
  const faults = reader
    .list(root['faults'], ['faults'])
    .map((one, i) => readFault(reader, one, ['faults', i], known))
  checkFaults(reader, faults, durationMs)
  const expect = reader.object(
    root['expect'] ?? {},
    ['expect'],
    ['during', 'after', 'recoverWithin', 'checkers'],
  )
  const replicas = reader.object(root['replicas'] ?? {}, ['replicas'], roles)
  for (const [role, count] of Object.entries(replicas)) reader.number(count, ['replicas', role], 1, 50)
  const radius = reader.object(root['blastRadius'] ?? {}, ['blastRadius'], ['pods', 'roles'])
  const experiment: Experiment = {
    name: reader.text(root['name'], ['name']),
    description: reader.text(root['description'], ['description']),
    durationMs,
    replicas: replicas as Experiment['replicas'],
    loads,
    steady: conditions(root['steady'], ['steady']),
    faults,
    stop: conditions(root['stop'], ['stop']),
    blastRadius: {
      pods:
        radius['pods'] === undefined
          ? defaults.pods
          : reader.number(radius['pods'], ['blastRadius', 'pods'], 0, 1_000),
      roles:
        radius['roles'] === undefined
          ? roles
          : reader
              .list(radius['roles'], ['blastRadius', 'roles'])
              .map((role, i) => reader.oneOf(role, ['blastRadius', 'roles', i], roles)),
    },
    during: conditions(expect['during'], ['expect', 'during']),
    after: conditions(expect['after'], ['expect', 'after']),
    recoverWithinMs: reader.duration(
      expect['recoverWithin'],
      ['expect', 'recoverWithin'],
      defaults.recoverWithinMs,
    ),
    checkers: reader
      .list(expect['checkers'], ['expect', 'checkers'])
      .map((name, i) => reader.oneOf(name, ['expect', 'checkers', i], known.checkers)),
  }
  for (const [i, { role, pods }] of faults.entries()) {
    if (!experiment.blastRadius.roles.includes(role))
      reader.problem(['faults', i, 'on'], `${role} is outside of the blast radius`, 'widen blastRadius.roles')
    if (typeof pods === 'number' && pods > experiment.blastRadius.pods)
      reader.problem(
        ['faults', i, 'on'],
        `${pods} pods are more than the blast radius`,
        'raise blastRadius.pods',
      )
  }
  return experiment
}

function readLoad(reader: Reader, value: unknown, path: Path): ExperimentLoad {
  const given = reader.object(value, path, ['name', 'workload', 'rateRps', 'users', 'holdMs'])
  const workload = reader.oneOf(given['workload'], [...path, 'workload'], workloads)
  if ((given['rateRps'] === undefined) === (given['users'] === undefined))
    reader.problem(path, 'has not exactly one of rateRps and users', 'write one of them')
  const at = (name: string, most: number): Record<string, number> =>
    given[name] === undefined ? {} : { [name]: reader.number(given[name], [...path, name], 1, most) }
  return {
    name: given['name'] === undefined ? workload : reader.text(given['name'], [...path, 'name']),
    workload,
    ...at('rateRps', 10_000),
    ...at('users', 1_000),
    ...at('holdMs', 60_000),
  }
}

function readCondition(reader: Reader, value: unknown, path: Path, loads: readonly string[]): Condition {
  const given = reader.object(value, path, ['metric', 'load', 'atLeast', 'atMost'])
  if (given['atLeast'] === undefined && given['atMost'] === undefined)
    reader.problem(path, 'has no bound', 'write atLeast or atMost')
  const bound = (name: string): Record<string, number> =>
    given[name] === undefined ? {} : { [name]: reader.number(given[name], [...path, name], 0, 1e9) }
  return {
    metric: reader.oneOf(given['metric'], [...path, 'metric'], metrics),
    ...(given['load'] === undefined ? {} : { load: reader.oneOf(given['load'], [...path, 'load'], loads) }),
    ...bound('atLeast'),
    ...bound('atMost'),
  }
}

function readFault(reader: Reader, value: unknown, path: Path, known: KnownNames): PlacedFault {
  const given = reader.object(value, path, ['name', 'fault', 'on', 'at', 'when', 'after', 'for', 'with'])
  const fault = reader.oneOf(given['fault'], [...path, 'fault'], Object.keys(known.faults))
  const on = reader.object(given['on'] ?? {}, [...path, 'on'], ['role', 'pods'])
  const role =
    on['role'] === undefined ? 'component-server' : reader.oneOf(on['role'], [...path, 'on', 'role'], roles)
  const pods = on['pods'] ?? (known.faults[fault]?.victim === 'pod' ? 1 : 'all')
  const settings = reader.object(
    given['with'] ?? {},
    [...path, 'with'],
    Object.keys((given['with'] as object) ?? {}),
  )
  const checked = settingsOf(known.faults[fault]!.settings, settings, reader.place([...path, 'with']))
  reader.add(checked.problems)
  return {
    name: given['name'] === undefined ? fault : reader.text(given['name'], [...path, 'name']),
    fault,
    role,
    pods: pods === 'all' ? 'all' : reader.number(pods, [...path, 'on', 'pods'], 1, 1_000),
    trigger: readTrigger(reader, given, path),
    forMs: reader.duration(given['for'], [...path, 'for'], defaults.forMs),
    settings: checked.settings,
  }
}

const counts = { streams: 'streams', callbacks: 'callbacks', runs: 'runs', answers: 'answers' } as const

function readTrigger(reader: Reader, given: Readonly<Record<string, unknown>>, path: Path): Trigger {
  const chosen = (['at', 'when', 'after'] as const).filter((name) => given[name] !== undefined)
  const [only] = chosen
  if (only === undefined || chosen.length > 1) {
    reader.problem(path, 'has not exactly one of at, when and after', 'say when it begins, e.g. at: 2s')
    return { kind: 'at', atMs: 0 }
  }
  const value = given[only]
  if (only === 'at') return { kind: 'at', atMs: reader.duration(value, [...path, 'at'], null) }
  if (only === 'after') return { kind: 'after', fault: reader.text(value, [...path, 'after']) }
  if (typeof value === 'object' && value !== null) {
    const moment = reader.object(value, [...path, 'when'], ['step', 'event'])
    return {
      kind: 'moment',
      event: reader.number(moment['event'], [...path, 'when', 'event'], 1, 1e6),
      ...(moment['step'] === undefined
        ? {}
        : { step: reader.text(moment['step'], [...path, 'when', 'step']) }),
    }
  }
  const match = /^(\d{1,6}) (streams|callbacks|runs|answers)(?: (?:are )?open)?$/.exec(String(value))
  if (match !== null)
    return { kind: 'count', what: counts[match[2] as keyof typeof counts], least: Number(match[1]) }
  reader.problem(
    [...path, 'when'],
    `got ${JSON.stringify(value)}`,
    'write e.g. 10 streams open, 5 callbacks open, 20 runs open, 100 answers, or a mapping of step and event',
  )
  return { kind: 'at', atMs: 0 }
}

function checkFaults(reader: Reader, faults: readonly PlacedFault[], durationMs: number): void {
  const names = faults.map(({ name }) => name)
  for (const [i, { name, trigger }] of faults.entries()) {
    if (names.indexOf(name) !== i)
      reader.problem(['faults', i, 'name'], `${name} is there twice`, 'name them apart')
    if (trigger.kind === 'at' && trigger.atMs >= durationMs)
      reader.problem(['faults', i, 'at'], 'is after the end of the load', 'begin earlier, or raise duration')
    if (trigger.kind === 'after' && names.indexOf(trigger.fault) >= i)
      reader.problem(
        ['faults', i, 'after'],
        `${trigger.fault} stands later`,
        'name a fault that stands before',
      )
    if (trigger.kind === 'after' && !names.includes(trigger.fault))
      reader.problem(
        ['faults', i, 'after'],
        `there is no fault ${trigger.fault}`,
        `use ${names.slice(0, i).join(', ')}`,
      )
  }
}
