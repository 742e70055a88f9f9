// Tests of routes: which pattern wins, what name is handed on, what rules let through.

import t from 'tap'
import { parseJson } from '../../wire/json.ts'
import { parsePath } from '../../wire/json-path.ts'
import type { Plugin } from './plugin.ts'
import { createRouter, type Route, type RouteRule, routeProblems } from './router.ts'

const plugin = (): Plugin => ({
  start: async () => {},
  execute: () => ({ kind: 'failed', error: { code: 1, message: 'not called' } }),
  components: async () => [],
  close: async () => {},
})
const plugins = new Map([
  ['a', plugin()],
  ['b', plugin()],
])
const rule = (name: string, more: Partial<RouteRule> = {}): RouteRule => ({
  plugin: name,
  component: null,
  allow: null,
  deny: null,
  timeouts: {},
  conditions: [],
  ...more,
})
const find = (routes: readonly Route[], component: string, input = 'null'): string => {
  const target = createRouter(routes, plugins).resolver(component)(parseJson(input))
  return target.kind === 'found' ? `${target.name} ${target.component}` : target.problem
}

t.test('the most specific pattern wins, whatever the order', async (t) => {
  const routes: Route[] = [
    { pattern: '/{*component}', rules: [rule('a')] },
    { pattern: '/python/{*component}', rules: [rule('b')] },
    { pattern: '/python/{component}', rules: [rule('a')] },
    { pattern: '/python/udf', rules: [rule('b', { component: '/fixed' })] },
  ]
  t.equal(find(routes, '/python/a/b'), 'b /a/b')
  t.equal(find(routes, '/python/a'), 'a /a')
  t.equal(find(routes, '/python/udf'), 'b /fixed')
  t.equal(find(routes, '/eval'), 'a /eval')
  t.equal(find(routes, '/python/'), 'a /python/')
  t.equal(find(routes.slice(1), '/other'), 'No matching rule found for component: /other')
  t.equal(find(routes.slice(1), '/python/'), 'No matching rule found for component: /python/')
})

t.test('fills parameters into the name that is handed on', async (t) => {
  const routes = (component: string | null): Route[] => [
    { pattern: '/x/{one}/{*rest}', rules: [rule('a', { component })] },
  ]
  t.equal(find(routes('/{rest}/of/{one}'), '/x/1/2/3'), 'a /2/3/of/1')
  t.equal(find(routes(null), '/x/1/2'), "Parameter 'component' not available in pattern '/x/{one}/{*rest}'")
})

t.test(
  'tries rules in order: conditions on the input, then allow and deny, also for a single rule',
  async (t) => {
    const conditions = [{ path: parsePath('$.m'), value: parseJson('"gpu"') }]
    const routes: Route[] = [{ pattern: '/{*component}', rules: [rule('a', { conditions }), rule('b')] }]
    t.equal(find(routes, '/x', '{"m":"gpu"}'), 'a /x')
    t.equal(find(routes, '/x', '{"m":"cpu"}'), 'b /x')
    t.equal(find(routes, '/x', '{}'), 'b /x')
    const denied: Route[] = [{ pattern: '/{*component}', rules: [rule('a', { deny: ['/x'] })] }]
    t.equal(find(denied, '/x'), 'No matching rule found for component: /x')
    t.equal(find(denied, '/y'), 'a /y')
    const only: Route[] = [{ pattern: '/{*component}', rules: [rule('a', { allow: ['/x'] }), rule('b')] }]
    t.equal(find(only, '/x'), 'a /x')
    t.equal(find(only, '/y'), 'b /y')
  },
)

t.test('finds patterns in each other\u2019s way, unknown plugins and malformed patterns', async (t) => {
  const bad = (routes: readonly Route[], problem: RegExp, place: readonly unknown[]) =>
    t.match(routeProblems(routes, new Set(plugins.keys())), [{ problem, place }])
  bad(
    [
      { pattern: '/{a}', rules: [rule('a')] },
      { pattern: '/{b}', rules: [rule('a')] },
    ],
    /conflict with previously registered route: \/\{a\}/,
    ['/{b}'],
  )
  bad([{ pattern: '/x', rules: [rule('nope')] }], /plugin not found: nope/, ['/x', 0, 'plugin'])
  bad([{ pattern: 'x', rules: [rule('a')] }], /starts with \//, ['x'])
  bad([{ pattern: '/{*a}/b', rules: [rule('a')] }], /must come last/, ['/{*a}/b'])
  bad([{ pattern: '/a{b}', rules: [rule('a')] }], /cannot read/, ['/a{b}'])
})
