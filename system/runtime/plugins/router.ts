// Routes: a component's path in a flow to the plugin that has it and its name there.

import { type Json, jsonNull, sameJson } from '../../wire/json.ts'
import { type JsonPath, valueAt } from '../../wire/json-path.ts'
import type { CallTimeouts, Plugin } from './plugin.ts'

export interface RouteRule {
  readonly plugin: string
  /** Template of the component's name, with `{parameter}`; null: `/` and the parameter `component`. */
  readonly component: string | null
  readonly allow: readonly string[] | null
  readonly deny: readonly string[] | null
  readonly timeouts: CallTimeouts
  /** All must hold on the step's input. */
  readonly conditions: readonly { readonly path: JsonPath; readonly value: Json }[]
}

export interface Route {
  /** `/python/{*component}` */
  readonly pattern: string
  readonly rules: readonly RouteRule[]
}

export type Target =
  | {
      readonly kind: 'found'
      readonly name: string
      readonly plugin: Plugin
      readonly component: string
      readonly timeouts: CallTimeouts
    }
  | { readonly kind: 'none'; readonly problem: string }

/** Finds the target of a component for a step's input. */
export type Resolve = (input: Json) => Target

export interface Router {
  /** The target of `component`, which its step's input may decide. */
  resolver(component: string): Resolve
  /** The paths by which flows reach `component` of the plugin called `name`. */
  pathsOf(name: string, component: string): string[]
}

export interface RouteProblem {
  /** Below `routes`. */
  readonly place: readonly (string | number)[]
  readonly problem: string
  readonly fix: string
}

/** What keeps `routes` from being routed by: malformed patterns, two in each other's way, unknown plugins. */
export function routeProblems(routes: readonly Route[], plugins: ReadonlySet<string>): RouteProblem[] {
  const found: RouteProblem[] = []
  const shapes = new Map<string, string>()
  for (const { pattern, rules } of routes) {
    const segments = parsePattern(pattern)
    if ('problem' in segments) {
      found.push({ place: [pattern], ...segments })
      continue
    }
    const shape = segments.map((segment) => (segment.kind === 'text' ? segment.text : segment.kind)).join('/')
    const other = shapes.get(shape)
    if (other !== undefined) {
      found.push({
        place: [pattern],
        problem: `Failed to insert route for pattern '${pattern}': Insertion failed due to conflict with previously registered route: ${other}`,
        fix: 'keep one of the two',
      })
    }
    shapes.set(shape, pattern)
    for (const [index, { plugin }] of rules.entries()) {
      // A missing name has been told of.
      if (plugin === '' || plugins.has(plugin)) continue
      const names = [...plugins].join(', ')
      found.push({
        place: [pattern, index, 'plugin'],
        problem: `plugin not found: ${plugin}`,
        fix: names === '' ? 'add it under plugins' : `use one of ${names}`,
      })
    }
  }
  return found
}

/** @param routes without `routeProblems` */
export function createRouter(routes: readonly Route[], plugins: ReadonlyMap<string, Plugin>): Router {
  const patterns = routes.flatMap((route) => {
    const segments = parsePattern(route.pattern)
    return 'problem' in segments ? [] : [{ route, segments }]
  })
  patterns.sort((a, b) => bySpecificity(a.segments, b.segments))
  const router: Router = {
    pathsOf(name, component) {
      const candidates = patterns.flatMap(({ route, segments }) =>
        route.rules.filter((rule) => rule.plugin === name).map((rule) => pathBy(rule, segments, component)),
      )
      const reached = candidates.filter((path): path is string => {
        if (path === null) return false
        // Another pattern may be in front of this one.
        const target = router.resolver(path)(jsonNull)
        return target.kind === 'found' && target.name === name && target.component === component
      })
      return [...new Set(reached)].sort()
    },
    resolver(component) {
      const none: Target = { kind: 'none', problem: `No matching rule found for component: ${component}` }
      for (const { route, segments } of patterns) {
        const parameters = match(segments, component)
        if (parameters === null) continue
        const choices = route.rules.map((rule) => ({
          rule,
          target: targetOf(rule, route.pattern, parameters, plugins),
        }))
        const [only] = choices
        if (choices.length === 1 && only !== undefined && only.rule.conditions.length === 0) {
          const target = allowed(only.rule, only.target) ? only.target : none
          return () => target
        }
        return (input) => {
          for (const { rule, target } of choices) {
            if (allowed(rule, target) && rule.conditions.every((c) => holds(c, input))) return target
          }
          return none
        }
      }
      return () => none
    },
  }
  return router
}

/** The path that `rule` would turn into `component`; null where there is none, or many. */
function pathBy(rule: RouteRule, segments: readonly Segment[], component: string): string | null {
  const parts = segments.map((segment) => {
    if (segment.kind === 'text') return segment.text
    return rule.component === null && segment.name === 'component' ? component.slice(1) : null
  })
  return parts.includes(null) ? null : `/${parts.join('/')}`
}

function targetOf(
  rule: RouteRule,
  pattern: string,
  parameters: ReadonlyMap<string, string>,
  plugins: ReadonlyMap<string, Plugin>,
): Target {
  const plugin = plugins.get(rule.plugin) as Plugin
  if (rule.component === null) {
    const rest = parameters.get('component')
    return rest === undefined
      ? { kind: 'none', problem: `Parameter 'component' not available in pattern '${pattern}'` }
      : { kind: 'found', name: rule.plugin, plugin, component: `/${rest}`, timeouts: rule.timeouts }
  }
  const component = rule.component.replace(
    /\{\*?([^}]+)\}/g,
    (whole, name: string) => parameters.get(name) ?? whole,
  )
  return { kind: 'found', name: rule.plugin, plugin, component, timeouts: rule.timeouts }
}

function holds({ path, value }: RouteRule['conditions'][number], input: Json): boolean {
  const found = valueAt(input, path)
  return found !== undefined && sameJson(found, value)
}

function allowed(rule: RouteRule, target: Target): boolean {
  if (target.kind === 'none') return true
  if (rule.allow !== null && !rule.allow.includes(target.component)) return false
  return rule.deny === null || !rule.deny.includes(target.component)
}

type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'one'; readonly name: string }
  | { readonly kind: 'rest'; readonly name: string }

function parsePattern(pattern: string): readonly Segment[] | Omit<RouteProblem, 'place'> {
  if (!pattern.startsWith('/')) {
    return { problem: 'a pattern starts with /', fix: 'write /name/{*component}' }
  }
  const segments: Segment[] = []
  const parts = pattern.slice(1).split('/')
  for (const [index, part] of parts.entries()) {
    const match = /^\{(\*?)([^{}*]+)\}$/.exec(part)
    if (match === null) {
      if (/[{}]/.test(part)) {
        return { problem: `cannot read '${part}'`, fix: 'use {name} or {*name} for a whole segment' }
      }
      segments.push({ kind: 'text', text: part })
      continue
    }
    const name = match[2] as string
    if (match[1] !== '' && index !== parts.length - 1) {
      return { problem: `{*${name}} must come last`, fix: 'use {name} for one segment' }
    }
    segments.push({ kind: match[1] === '' ? 'one' : 'rest', name })
  }
  return segments
}

const rank = { text: 0, one: 1, rest: 2 } as const

/** Fixed text before a parameter, a parameter before a rest, segment by segment. */
function bySpecificity(a: readonly Segment[], b: readonly Segment[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const difference = rank[a[index]?.kind ?? 'rest'] - rank[b[index]?.kind ?? 'rest']
    if (difference !== 0) return difference
  }
  return b.length - a.length
}

function match(segments: readonly Segment[], component: string): ReadonlyMap<string, string> | null {
  if (!component.startsWith('/')) return null
  const parts = component.slice(1).split('/')
  const parameters = new Map<string, string>()
  for (const [index, segment] of segments.entries()) {
    const part = parts[index]
    if (part === undefined) return null
    if (segment.kind === 'rest') {
      const rest = parts.slice(index).join('/')
      if (rest === '') return null
      parameters.set(segment.name, rest)
      return parameters
    }
    if (segment.kind === 'one') {
      if (part === '') return null
      parameters.set(segment.name, part)
    } else if (segment.text !== part) return null
  }
  return parts.length === segments.length ? parameters : null
}
