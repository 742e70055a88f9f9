// Tests of the static checks: each kind of diagnostic, its place, and the order they come in.

import t from 'tap'
import { parseFlow } from './flow.ts'
import { diagnose, writeDiagnostics } from './flow-diagnostics.ts'
import { parseJson } from './json.ts'

const named = { name: 'n', description: 'd' }
const found = (flow: object): unknown[] =>
  diagnose(parseFlow(parseJson(JSON.stringify({ ...named, ...flow })))).map(
    ({ code, kind, path }) => `${code} ${kind}${path === undefined ? '' : ` ${path}`}`,
  )
const step = (id: string, input: unknown = null, component = '/x') => ({ id, component, input })
const from = (id: string, path?: string) => ({ $step: id, ...(path === undefined ? {} : { path }) })

t.test('a good flow has none', async (t) => {
  t.same(found({ steps: [step('a'), step('b', from('a'))], output: from('b') }), [])
})

t.test('ids, references and components', async (t) => {
  t.same(found({ steps: [step('a'), step('a')], output: from('a') }), ['3000 duplicateStepId $.steps[1].id'])
  t.same(found({ steps: [step(' ')], output: from(' ') }), ['3001 emptyStepId $.steps[0].id'])
  t.same(found({ steps: [step('a', { x: [from('a')] })], output: from('a') }), [
    '3002 selfReference $.steps[0].input.x[0]',
  ])
  t.same(found({ steps: [step('a', from('b')), step('b')], output: { 'k.k': from('c'), z: from('a') } }), [
    '3003 undefinedStepReference $.steps[0].input',
    '3003 undefinedStepReference $.output["k.k"]',
  ])
  t.same(found({ steps: [step('a', null, 'eval')], output: from('a') }), [
    '2500 invalidComponent $.steps[0].component',
  ])
})

t.test('names, reachability, field access and variables', async (t) => {
  t.same(found({ name: ' ', description: null, steps: [step('a')] }), [
    '1001 missingFlowName $.name',
    '1002 missingFlowDescription $.description',
    '1000 unreachableStep $.steps[0]',
  ])
  const choice = Object.fromEntries([
    ['$if', { $input: '$.c' }],
    ['then', from('a', 'x')],
    ['else', { $coalesce: [from('a', '$.y')] }],
  ])
  t.same(found({ steps: [step('a')], output: choice }), [
    '1003 unvalidatedFieldAccess $.output.condition',
    '1003 unvalidatedFieldAccess $.output.then',
    '1003 unvalidatedFieldAccess $.output.else[0]',
  ])
  t.same(found({ output: { $variable: 'v' } }), ['1004 missingVariableSchema $.variables'])
  const schemas = { properties: { variables: { properties: { known: {} }, required: ['known'] } } }
  t.same(found({ schemas, output: [{ $variable: 'known' }, { $variable: '$.known.x' }] }), [
    '1003 unvalidatedFieldAccess $.output[1]',
  ])
  t.same(found({ schemas, output: [{ $variable: 'a', default: 1 }, { $variable: 'b' }] }), [
    '2004 undefinedVariable $.output[0]',
    '2005 undefinedRequiredVariable $.output[1]',
  ])
})

t.test('says what to write in the place of skipIf', async (t) => {
  const flow = { ...named, steps: [{ ...step('a'), skipIf: { $input: '$.off' } }], output: from('a') }
  const [only, ...rest] = diagnose(parseFlow(parseJson(JSON.stringify(flow))))
  t.same(rest, [])
  t.match(only, { kind: 'ignoredSkip', level: 'warning', path: '$.steps[0].skipIf' })
  const instead = JSON.parse(only?.data?.['instead'] ?? '')
  t.match(only?.formatted, only?.data?.['instead'])
  t.same(found({ steps: [step('a')], output: instead }), ['1003 unvalidatedFieldAccess $.output.condition'])
})

t.test(
  'silent where the real one is: an empty description, any input schema, what names no variable',
  async (t) => {
    const variables = { properties: { v: {} }, required: 5 }
    t.same(found({ schemas: { properties: { variables } }, output: { $variable: 'v' } }), [])
    t.same(found({ ...named, description: '' }), [])
    t.same(found({ schemas: { properties: { input: true } }, output: { $input: '$.a' } }), [])
    t.same(found({ output: [{ $variable: '$' }, { $variable: '$[0]', default: { $input: '$.a' } }] }), [])
  },
)

t.test('flows written out for put_blob are checked too', async (t) => {
  const put = (data: unknown) => ({
    steps: [step('p', { data: { $literal: data }, blob_type: 'flow' }, '/builtin/put_blob')],
    output: from('p'),
  })
  t.same(found(put({ ...named, output: from('zz') })), [
    '3003 undefinedStepReference $.steps[0].input.data.$literal.output',
  ])
  t.match(diagnose(parseFlow(parseJson(JSON.stringify({ ...named, ...put({ steps: 5 }) })))), [
    { data: { error: 'Failed to parse subflow: invalid type: integer `5`, expected a sequence' } },
  ])
  const scalar = step('p', { data: 5, blob_type: 'flow' }, '/put_blob')
  t.same(found({ steps: [scalar], output: from('p') }), ['2003 invalidSubflowLiteral $.steps[0].input.data'])
  t.same(found(put({ steps: 5 })), ['2003 invalidSubflowLiteral $.steps[0].input.data.$literal'])
})

t.test('writes them with counts by level', async (t) => {
  const list = diagnose(parseFlow(parseJson('{"steps":[{"id":"a","component":"x"}],"output":{"$step":"b"}}')))
  t.match(JSON.parse(writeDiagnostics(list)), {
    numFatal: 1,
    numError: 1,
    numWarning: 3,
    diagnostics: [
      { level: 'warning' },
      { level: 'warning' },
      {
        kind: 'undefinedStepReference',
        level: 'fatal',
        formatted: "Step 'workflow_output' references undefined step 'b'",
        data: { from_step: 'workflow_output', referenced_step: 'b' },
      },
      { kind: 'invalidComponent', level: 'error' },
      { kind: 'unreachableStep', level: 'warning', data: { step_id: 'a' } },
    ],
  })
})
