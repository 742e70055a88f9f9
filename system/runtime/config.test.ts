// Tests of the configuration: the documents' own example, what is passed over, and problems with their lines.

import t from 'tap'
import { parseConfig } from './config.ts'

const demo = `
plugins:
  builtin: { type: builtin }
  k8s_components: { type: stepflow, transport: http, url: "http://pingora-lb.stepflow-demo.svc.cluster.local:8080" }
routes:
  "/python/{*component}": [{ plugin: k8s_components }]
  "/{*component}": [{ plugin: builtin }]
stateStore: { type: inMemory }
`

t.test('reads the architecture\u2019s configuration as it stands', async (t) => {
  const config = parseConfig(demo)
  t.match(config.plugins, [
    { kind: 'builtin', name: 'builtin' },
    { kind: 'stepflow', name: 'k8s_components' },
  ])
  t.same(
    config.routes.map((route) => [route.pattern, route.rules.map((rule) => rule.plugin)]),
    [
      ['/python/{*component}', ['k8s_components']],
      ['/{*component}', ['builtin']],
    ],
  )
  t.same(config.warnings, [])
})

t.test('passes over unknown keys with a warning that says where', async (t) => {
  const { warnings } = parseConfig(`${demo}\nfuture: 1\n`.replace('type: builtin', 'type: builtin, x: 1'))
  t.same(warnings, ['plugins.builtin.x (line 3)', 'future (line 10)'])
})

/** `name` between a dollar sign's braces. */
const of = (name: string): string => `$\{${name}}`

t.test('fills in the environment, also in URLs', async (t) => {
  const url = (text: string, env: Record<string, string>) => {
    const [plugin] = parseConfig(
      `plugins: { w: { type: stepflow, url: "${text}" } }\nroutes: {}`,
      env,
    ).plugins
    return plugin?.kind === 'stepflow' ? plugin.url.href : null
  }
  t.equal(url(`http://${of('H')}:$P/x`, { H: 'h', P: '81' }), 'http://h:81/x')
  t.equal(url(`http://${of('H:d')}:${of('P:-82')}`, {}), 'http://d:82/')
  t.throws(() => url(`http://${of('NOSUCH')}`, {}), { message: /invalid environment variable: \$\{NOSUCH\}/ })
})

t.test('names every problem at once, with its line', async (t) => {
  const problems = (text: string): string[] => {
    try {
      parseConfig(text)
      return []
    } catch (error) {
      return (error as Error).message.split('\n')
    }
  }
  t.match(problems('plugins: {}'), [/^config \(line 1\): missing field `routes`/])
  t.match(problems('plugins:\n  a: {type: zzz}\n  b: {type: stepflow, url: nope}\nroutes:\n  /x: [{}]\n'), [
    /^plugins\.a\.type \(line 2\): unknown variant `zzz`/,
    /^plugins\.b\.url \(line 3\): got nope/,
    /^routes\.\/x\.0\.plugin \(line 5\): is missing/,
  ])
  const routes =
    'plugins: {b: {type: builtin}}\nroutes:\n  /x/{a}:\n    - plugin: b\n    - plugin: nope\n  /x/{b}: [{plugin: b}]\n' +
    '  y: [{plugin: b,\n       conditions: [{path: "$.a[x]"}]}]\n'
  t.match(problems(routes), [
    /^routes\.y\.0\.conditions\.0\.path \(line 8\): Invalid index 'x'/,
    /^routes\.\/x\/\{a\}\.1\.plugin \(line 5\): plugin not found: nope, use one of b/,
    /^routes\.\/x\/\{b\} \(line 6\): .*conflict with previously registered route: \/x\/\{a\}/,
    /^routes\.y \(line 7\): a pattern starts with \//,
  ])
  t.match(problems('plugins: {\n  a: [}'), [/^config line 2: .*ERR_CONFIG_SYNTAX/])
  t.match(problems('plugins: {}\nroutes: {}\nstateStore: {type: zz}'), [/line 3.*unknown variant `zz`/])
})
