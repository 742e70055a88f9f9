// Routing rules: which pool of pods takes a call, by the name of its component.

import { defaultPool } from './pods.ts'
import { findMember } from './request-id.ts'

/** One rule of the configuration file. */
export interface RuleConfig {
  /** Pattern of component names as the worker sees them: `*` stands for any characters, e.g. `/gpu_*`. */
  readonly component: string
  /** Shares of the pools; at least one above 0. */
  readonly pools: Readonly<Record<string, number>>
}

export interface Rule {
  /** The pattern's parts between its stars. */
  readonly parts: readonly string[]
  readonly pools: readonly { readonly pool: string; readonly weight: number }[]
}

/** Pools to try in this order, or `more`: the component's name has not arrived yet. */
export type Routing = readonly string[] | 'more'

const toDefault: Routing = [defaultPool]
const componentPath = ['params', 'component']

export function compileRules(configs: readonly RuleConfig[]): readonly Rule[] {
  return configs.map(({ component, pools }) => ({
    parts: component.split('*'),
    pools: Object.entries(pools)
      .filter(([, weight]) => weight > 0)
      .map(([pool, weight]) => ({ pool, weight })),
  }))
}

/**
 * Where a request goes: the first rule whose pattern fits names the pools, drawn by weight; the others of that
 * rule stand in where the drawn one has no pod. What no rule fits goes to the default pool.
 * @param body as much of the request's body as has arrived, latin1 of UTF-8
 * @param complete nothing more will come, or be waited for
 * @param random 0 to 1, without 1
 */
export function routeByRules(
  rules: readonly Rule[],
  body: string,
  complete: boolean,
  random: () => number,
): Routing {
  const member = findMember(body, componentPath)
  if (member.kind === 'cut' && !complete) return 'more'
  const component = member.kind === 'found' ? parseText(member.raw) : null
  if (component === null) return toDefault
  const rule = rules.find(({ parts }) => fits(parts, component))
  if (rule === undefined) return toDefault
  const total = rule.pools.reduce((sum, { weight }) => sum + weight, 0)
  let drawn = random() * total
  const first = rule.pools.find(({ weight }) => (drawn -= weight) < 0) ?? rule.pools[0]!
  return [first.pool, ...rule.pools.filter((one) => one !== first).map(({ pool }) => pool)]
}

function parseText(raw: string): string | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(raw, 'latin1').toString())
    return typeof value === 'string' ? value : null
  } catch {
    return null
  }
}

/**
 * Whether `text` is `parts` with anything between them. Each part is taken where it comes first, so this never goes
 * back: clients choose the text, and a regular expression with several stars could take seconds over it.
 */
export function fits(parts: readonly string[], text: string): boolean {
  const first = parts[0]!
  const last = parts.at(-1)!
  if (parts.length === 1) return text === first
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return at <= text.length - last.length
}
