// Tests of the flow document: its normal form and id, its expressions, what is refused and where.

import t from 'tap'
import { blobIdOf, parseFlow, parseStep } from './flow.ts'
import { type Json, parseJson } from './json.ts'
import { locate } from './json-locate.ts'
import { ShapeError } from './json-shape.ts'

const normal = (text: string): string => parseFlow(parseJson(text)).json
const step = (more: string): string => `{"steps":[{"id":"a","component":"/x"${more}}]}`

t.test('ids are the hash of the normal form', async (t) => {
  t.equal(blobIdOf(parseJson('1')), '6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b')
  t.equal(parseFlow(parseJson('{}')).id, '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
  t.equal(parseFlow(parseJson('{"unknown":1,"name":null}')).json, '{}')
})

t.test('writes fields in their order, and no defaults', async (t) => {
  const cases: [string, string][] = [
    ['{"output":1,"steps":[],"name":"n"}', '{"name":"n","output":1}'],
    [step(',"input":null,"metadata":{},"onError":null,"mustExecute":null'), step('')],
    [step(',"mustExecute":false,"input":1'), step(',"input":1,"mustExecute":false')],
    [step(',"onError":{"action":"retry","maxAttempts":5}'), step(',"onError":{"action":"retry"}')],
    [
      step(',"onError":{"action":"useDefault","defaultValue":null}'),
      step(',"onError":{"action":"useDefault"}'),
    ],
    ['{"schemas":{}}', '{}'],
    [
      '{"test":{"cases":[{"name":"a","input":1,"output":{"error":{"message":"m","code":-1,"data":null},"outcome":"failed"}}]}}',
      '{"test":{"cases":[{"name":"a","input":1,"output":{"outcome":"failed","error":{"code":-1,"message":"m"}}}]}}',
    ],
    ['{"schemas":{"$defs":null,"properties":{"steps":{"properties":{}}}}}', '{}'],
    [
      '{"schemas":{"properties":{"steps":{"other":1,"properties":{"a":{"x":1}}}}}}',
      '{"schemas":{"type":"object","properties":{"steps":{"type":"object","properties":{"a":{"x":1}}}}}}',
    ],
    ['{"schemas":{"properties":{"zz":1}}}', '{}'],
    [
      '{"schemas":{"properties":{"variables":{"a":1.0},"input":true,"zz":1},"$defs":{"A":1}}}',
      '{"schemas":{"type":"object","$defs":{"A":1},"properties":{"input":true,"variables":{"a":1.0}}}}',
    ],
    ['{"metadata":{"b":1,"a":2}}', '{"metadata":{"b":1,"a":2}}'],
    [
      '{"test":{"cases":[{"input":1,"name":"c","x":0}],"stepflow_config":{"p":1}}}',
      '{"test":{"config":{"p":1},"cases":[{"name":"c","input":1}]}}',
    ],
  ]
  for (const [text, expected] of cases) t.equal(normal(text), expected)
})

t.test('writes expressions in normal form', async (t) => {
  const output = (text: string): string => normal(`{"output":${text}}`).slice('{"output":'.length, -1)
  const cases: [string, string][] = [
    ['{"$step":"a","path":"sum","x":1}', '{"$step":"a","path":"$.sum"}'],
    ['{"path":null,"$step":"a"}', '{"$step":"a"}'],
    ['{"$input":null}', '{"$input":"$"}'],
    ['{"$variable":"v","default":{"$input":""}}', '{"$variable":"$.v","default":{"$input":"$"}}'],
    ['{"$literal":{"$step":"a"}}', '{"$literal":{"$step":"a"}}'],
    ['{"else":null,"then":1,"$if":true}', '{"$if":true,"then":1,"else":null}'],
    ['{"$coalesce":[null,{"$input":"x"}]}', '{"$coalesce":[null,{"$input":"$.x"}]}'],
    ['[1.0,{"b":{"$step":"a"},"10":2}]', '[1.0,{"b":{"$step":"a"},"10":2}]'],
    ['{"$nope":1,"$from":"x"}', '{"$nope":1,"$from":"x"}'],
    ['{"$from":{"step":"a"},"path":"x"}', '{"$step":"a","path":"$.x"}'],
    ['{"$from":{"workflow":"input"},"path":"x"}', '{"$input":"$.x"}'],
    ['{"$input":"$[\'a.b\']"}', '{"$input":"$[\'a.b\']"}'],
  ]
  for (const [text, expected] of cases) t.equal(output(text), expected, text)
})

t.test('lists examples, then test cases of other names', async (t) => {
  const { allExamples } = parseFlow(
    parseJson(
      '{"examples":[{"name":"a","input":1,"z":1}],"test":{"cases":[{"name":"a","input":2},{"name":"b","input":3,"output":null}]}}',
    ),
  )
  t.same(allExamples, ['{"name":"a","input":1}', '{"name":"b","input":3}'])
})

t.test('says what does not fit, and where in the text it stands', async (t) => {
  const problem = (text: string): string => {
    try {
      parseFlow(parseJson(text))
      return 'no problem'
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error
      const { line, column } = locate(text, error.place, error.edge)
      return `${error.message} at line ${line} column ${column}`
    }
  }
  const cases: [string, string][] = [
    ['{"steps":[{"component":"/x"}]}', 'steps[0]: missing field `id` at line 1 column 28'],
    ['{"steps":null}', 'steps: invalid type: null, expected a sequence at line 1 column 13'],
    ['{\n "steps": {}}', 'steps: invalid type: map, expected a sequence at line 2 column 10'],
    ['{"name":5}', 'name: invalid type: integer `5`, expected a string at line 1 column 9'],
    [
      step(',"onError":{"action":"skip"}'),
      'steps[0].onError.action: unknown variant `skip`, expected one of `fail`, `useDefault`, `retry` at line 1 column 63',
    ],
    ['{"output":{"$if":1}}', 'output: then key required for $if at line 1 column 20'],
    ['{"output":{"$step":5},"name":"n"}', 'output: $step must be a string at line 1 column 21'],
    [
      '{"output":[{"$input":5}]}',
      'output: Invalid $input: invalid type: integer `5`, expected a JSON path string at line 1 column 25',
    ],
    ['{"schemas":{"$defs":5}}', 'schemas: invalid type: integer `5`, expected a map at line 1 column 23'],
    [
      '{"steps":"a\\u007f"}',
      'steps: invalid type: string "a\\u{7f}", expected a sequence at line 1 column 18',
    ],
    [
      '{"test":{"cases":[{"name":"a","input":1,"output":[]}]}}',
      'test.cases[0].output: missing field `outcome` at line 1 column 52',
    ],
    [
      '{"test":{"cases":[{"name":"a","input":1,"output":{"outcome":"failed","error":{"code":1.0}}}]}}',
      'test.cases[0].output: invalid type: floating point `1.0`, expected i64 at line 1 column 91',
    ],
    ['{"schemas":5}', 'schemas: FlowSchema must be an object at line 1 column 13'],
  ]
  for (const [text, expected] of cases) t.equal(problem(text), expected)
})

t.test('reads one step by itself', async (t) => {
  t.match(parseStep(parseJson('{"id":"a","component":"/x","mustExecute":true}'), []), {
    id: 'a',
    component: '/x',
    mustExecute: true,
    onError: { action: 'fail' },
  })
  t.throws(() => parseStep(parseJson('{"id":"a"}'), ['steps', 1]), {
    message: 'steps[1]: missing field `component`',
  })
})

t.test(
  'a flow that another made, deeper than any text, is refused and does not overflow the stack',
  async (t) => {
    const deep = (levels: number, open: string, close: string): Json =>
      `{"output":${open.repeat(levels)}1${close.repeat(levels)}}` as Json
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
      ['{"$if":', ',"then":1}'],
      ['{"$coalesce":[', ']}'],
      ['{"$variable":"v","default":', '}'],
    ] as const) {
      t.throws(() => parseFlow(deep(15_000, open, close)), { name: 'ShapeError', problem: /recursion limit/ })
      t.ok(parseFlow(deep(60, open, close)))
    }
  },
)
