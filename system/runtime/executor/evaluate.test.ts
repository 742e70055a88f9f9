// Tests of evaluating expressions: values, failures, and what is still needed, as lazily as the data allows.

import fc from 'fast-check'
import t from 'tap'
import { parseExpression } from '../../wire/flow-expression.ts'
import { type Json, parseJson } from '../../wire/json.ts'
import {
  type Evaluation,
  evaluate,
  firstNeeds,
  maxValueChars,
  type Scope,
  type Unevaluated,
} from './evaluate.ts'

const scope = (
  more: Partial<{
    input: string
    steps: Record<string, string | null>
    variables: Record<string, string>
  }> = {},
): Scope => ({
  input: parseJson(more.input ?? '{"a":{"b":1.0},"n":null}'),
  outcomeOf: (step) => {
    const value = more.steps?.[step]
    if (value === undefined) return 'unknown'
    return value === null ? 'pending' : value === 'failed' ? failed : { ok: true, value: value as Json }
  },
  variable: (name) => more.variables?.[name] as Json | undefined,
})
const failed = { ok: false, error: { code: 7, message: 'no' } } as const
const expression = (text: string) => parseExpression(parseJson(text), [])

const is = (t: Tap, text: string, expected: string, more: Parameters<typeof scope>[0] = {}): void => {
  const result = evaluate(expression(text), scope(more))
  const shown =
    result.kind === 'value'
      ? result.value
      : result.kind === 'needs'
        ? `needs ${result.steps}`
        : `failed ${result.error.code} ${result.error.message}`
  t.equal(shown, expected, text)
}
interface Tap {
  equal(found: unknown, wanted: unknown, message: string): unknown
}

t.test('templates keep what is constant, and fill in the rest', async (t) => {
  is(
    t,
    '{"z":1.0,"10":[{"$input":"$.a.b"},"x"],"l":{"$literal":{"$input":"$"}}}',
    '{"z":1.0,"10":[1.0,"x"],"l":{"$input":"$"}}',
  )
  is(t, '{"$input":null}', '{"a":{"b":1.0},"n":null}')
  is(t, '{"$input":"$.a.c"}', 'failed 1 Input path $.a.c not found')
})

t.test('results of steps, their paths, their failures, and those that do not exist', async (t) => {
  const steps = { a: '{"x":[5]}', n: 'null', f: 'failed', p: null }
  is(t, '{"$step":"a","path":"$.x[0]"}', '5', { steps })
  is(t, '{"$step":"a","path":"y"}', 'failed 1 Path $.y not found', { steps })
  is(t, '{"$step":"n","path":"$.x"}', 'null', { steps })
  is(t, '{"$step":"f"}', 'failed 7 no', { steps })
  is(t, '{"$step":"p"}', 'needs p', { steps })
  is(t, '{"$step":"zz"}', 'failed 404 Unknown step: zz', { steps })
  is(t, '[{"$step":"f"},{"$step":"p"},{"$step":"p"}]', 'needs p', { steps })
})

t.test('conditions: only null, false and failures do not hold', async (t) => {
  for (const condition of ['null', 'false', '{"$input":"$.no"}', '{"$input":"$.n"}']) {
    is(t, `{"$if":${condition},"then":1,"else":2}`, '2')
    is(t, `{"$if":${condition},"then":1}`, 'null')
  }
  for (const condition of ['0', '""', '{}', '[]', 'true'])
    is(t, `{"$if":${condition},"then":1,"else":2}`, '1')
  const steps = { c: 'true', p: null, q: null }
  is(t, '{"$if":{"$step":"p"},"then":{"$step":"q"}}', 'needs p', { steps })
  is(t, '{"$if":{"$step":"c"},"then":{"$step":"p"},"else":{"$step":"q"}}', 'needs p', { steps })
})

t.test('coalesce: the first that is not null, one by one; a failure fails it', async (t) => {
  const steps = { n: 'null', f: 'failed', p: null, q: null }
  is(t, '{"$coalesce":[null,{"$step":"n"},false,1]}', 'false', { steps })
  is(t, '{"$coalesce":[{"$step":"n"},{"$step":"p"},{"$step":"q"}]}', 'needs p', { steps })
  is(t, '{"$coalesce":[{"$step":"f"},1]}', 'failed 7 no', { steps })
  is(t, '{"$coalesce":[]}', 'null')
})

t.test('variables: the run\u2019s, else the default, else a failure', async (t) => {
  const variables = { v: '{"x":1}' }
  is(t, '{"$variable":"$.v.x"}', '1', { variables })
  is(t, '{"$variable":"$.v.y","default":{"$input":"$.a.b"}}', '1.0', { variables })
  is(t, '{"$variable":"w","default":5}', '5', { variables })
  is(t, '{"$variable":"$","default":5}', 'failed 500 Variable path is empty')
  is(t, '{"$variable":"$[0]","default":5}', 'failed 500 Variable name must be a string')
  is(t, '{"$variable":"w"}', 'failed 1 Undefined variable: w', { variables })
})

t.test('what is needed first leaves out branches, later choices and defaults', async (t) => {
  const text =
    '[{"$step":"a"},{"$if":{"$step":"b"},"then":{"$step":"x"}},{"$coalesce":[{"$step":"c"},{"$step":"x"}]},{"$variable":"v","default":{"$step":"x"}},{"k":{"$step":"a"}}]'
  t.same(firstNeeds(expression(text)), ['a', 'b', 'c'])
})

t.test('a value that no string could hold fails well before', async (t) => {
  const input = `"${'x'.repeat(maxValueChars / 2)}"`
  const tooLong = `failed 500 The value is longer than ${maxValueChars} characters`
  is(t, '[{"$input":"$"},{"$input":"$"}]', tooLong, { input })
  is(t, '{"a":{"$input":"$"},"b":{"$input":"$"}}', tooLong, { input })
  t.equal(evaluate(expression('[{"$input":"$"}]'), scope({ input })).kind, 'value')
  const late = evaluate(expression('[{"$step":"p"},{"$input":"$"}]'), scope({ input, steps: { p: null } }))
  const rest = late.kind === 'needs' ? late.rest : null
  t.match(rest === null ? null : evaluate(rest, scope({ input, steps: { p: input } })), {
    error: { message: tooLong.slice('failed 500 '.length) },
  })
})

/** Texts of expressions over the steps a to e. */
const { anything } = fc.letrec<{ anything: string }>((tie) => {
  const inner = tie('anything')
  const list = fc.array(inner, { maxLength: 4 }).map((members) => `[${members}]`)
  return {
    anything: fc.oneof(
      { depthSize: 'medium' },
      fc.constantFrom('null', '1', 'false'),
      fc.constantFrom('a', 'b', 'c', 'd', 'e').map((step) => `{"$step":"${step}"}`),
      list,
      list.map((members) => `{"$coalesce":${members}}`),
      fc.tuple(inner, inner).map(([x, y]) => `{"x":${x},"y":${y}}`),
      fc.tuple(inner, inner, inner).map(([is, yes, no]) => `{"$if":${is},"then":${yes},"else":${no}}`),
      inner.map((byDefault) => `{"$variable":"w","default":${byDefault}}`),
    ),
  }
})

t.test('to go on with what is left gives at each time what the whole gives', async (t) => {
  const end = fc.constantFrom('null', '1', 'failed')
  const ends = fc.record({ a: end, b: end, c: end, d: end, e: end })
  let rounds = 0
  const property = fc.property(anything, ends, (text, outcomes: Readonly<Record<string, string>>) => {
    const known = new Set<string>()
    const seen: Scope = {
      ...scope(),
      outcomeOf(step) {
        if (!known.has(step)) return 'pending'
        const value = outcomes[step] as Json
        return value === 'failed'
          ? { ok: false, error: { code: 7, message: `not ${step}` } }
          : { ok: true, value }
      },
    }
    const whole = expression(text)
    for (let rest: Unevaluated | null = whole; rest !== null; rounds++) {
      const found = withoutRest(evaluate(rest, seen))
      const wanted = withoutRest(evaluate(whole, seen))
      if (found.shown !== wanted.shown) throw new Error(`${found.shown} instead of ${wanted.shown}`)
      rest = found.rest
      for (const step of found.steps) known.add(step)
    }
  })
  // The later member fails first.
  const fails = { a: 'null', b: 'failed', c: 'failed', d: '1', e: '1' }
  const late: [string, typeof fails] = ['[{"$coalesce":[{"$step":"a"},{"$step":"b"}]},{"$step":"c"}]', fails]
  fc.assert(property, { numRuns: 2_000, seed: 1, examples: [late] })
  t.ok(rounds > 3_000, 'and not only at the first')
})

function withoutRest(result: Evaluation) {
  if (result.kind !== 'needs') return { shown: JSON.stringify(result), rest: null, steps: [] }
  return { shown: `needs ${result.steps}`, rest: result.rest, steps: result.steps }
}

t.test(
  'a member that was null, and what stands beside, is looked at once, not whenever a step ends',
  async (t) => {
    const count = 500
    const steps: Record<string, string | null> = {}
    for (let step = 0; step < count; step++) steps[step] = null
    const members = Object.keys(steps).map((step) => ({ $step: step }))
    const beside = members.map(() => ({ $variable: 'v' }))
    let looks = 0
    const { outcomeOf, ...more } = scope({ steps })
    const counting: Scope = {
      ...more,
      outcomeOf(step) {
        looks++
        return outcomeOf(step)
      },
      variable() {
        looks++
        return '1' as Json
      },
    }
    let result = evaluate(expression(JSON.stringify([{ $coalesce: members }, beside])), counting)
    while (result.kind === 'needs') {
      for (const step of result.steps) steps[step] = 'null'
      result = evaluate(result.rest, counting)
    }
    t.match(result, { value: new RegExp(`^\\[null,\\[1(,1){${count - 1}}]]$`) })
    t.equal(looks, count + 2 * count, 'each variable once, each step when it is needed and when it is there')
  },
)
