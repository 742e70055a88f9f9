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
  readonly pattern: RegExp
  readonly pools: readonly { readonly pool: string; readonly weight: number }[]
}

/** Pools to try in this order, or `more`: the component's name has not arrived yet. */
export type Routing = readonly string[] | 'more'

const toDefault: Routing = [defaultPool]
const componentPath = ['params', 'component']

export function compileRules(configs: readonly RuleConfig[]): readonly Rule[] {
  return configs.map(({ component, pools }) => ({
    pattern: new RegExp(`^${component.split('*').map(escapeText).join('.*')}$`, 's'),
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
  const rule = rules.find(({ pattern }) => pattern.test(component))
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

function escapeText(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
