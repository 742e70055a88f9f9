// Tests of YAML as JSON: numbers as written, keys of every kind, and what JSON cannot hold.

import t from 'tap'
import { yamlToJson } from './json-yaml.ts'

t.test('keeps numbers, order and text', async (t) => {
  const cases: [string, string][] = [
    [
      'b: 1.0\na: [0x10, yes, "x", 1e3, null, ~, 12345678901234567890]\n1: z\n',
      '{"b":1.0,"a":[16,"yes","x",1000.0,null,null,12345678901234567890],"1":"z"}',
    ],
    ['- &a {k: 1}\n- *a\n', '[{"k":1},{"k":1}]'],
    ['', 'null'],
    ['|\n  a\n  b\n', '"a\\nb\\n"'],
    ['[true, -0.0, .inf, 1.50]', '[true,-0.0,null,1.5]'],
  ]
  for (const [text, expected] of cases) t.equal(yamlToJson(text), expected)
})

t.test('says the line of what it cannot read', async (t) => {
  t.throws(() => yamlToJson('a: 1\nb: ['), { name: 'YamlError', line: 2 })
  t.throws(() => yamlToJson('a: 1\n? {x: 1}\n: 2'), {
    name: 'YamlError',
    message: /key must be a scalar at line 2/,
  })
  t.throws(() => yamlToJson(`${'['.repeat(200)}${']'.repeat(200)}`), { name: 'YamlError' })
})

t.test('refuses levels beyond those of JSON, and a second document', async (t) => {
  const nested = (levels: number): string =>
    Array.from({ length: levels }, (_, at) => `${' '.repeat(at)}a:`).join('\n')
  t.ok(yamlToJson(nested(100)))
  t.throws(() => yamlToJson(nested(5_000)), { message: /recursion limit exceeded at line 129/ })
  t.throws(() => yamlToJson('['.repeat(100_000)), { message: /recursion limit exceeded at line 1/ })
  t.throws(() => yamlToJson('a: 1\n---\nb: 1\n'), { message: /more than one document at line 2/ })
  t.equal(yamlToJson(''), 'null')
})

t.test('refuses aliases that unfold without bound', async (t) => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 9; level++) {
    lines.push(`a${level}: &a${level} [${new Array(10).fill(`*a${level - 1}`).join(', ')}]`)
  }
  t.throws(() => yamlToJson(lines.join('\n')), { message: /too many values/ })
})
