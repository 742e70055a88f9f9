// Tests of component(): what a definition becomes, what it refuses, and how it names wrong input.

import t from 'tap'
import { z } from 'zod'
import { builtInComponents } from './components/index.ts'
import { type ComponentError, component, Raw, type StandardSchema, Type } from './sdk.ts'

const caught = (act: () => unknown): ComponentError => {
  try {
    act()
  } catch (error) {
    return error as ComponentError
  }
  throw new Error('nothing was thrown')
}

t.test('takes its path from the name and its context from run', async (t) => {
  const plain = component({ name: 'a.b/c-d', input: Type.Object({}), run: () => null })
  t.match(plain, { path: '/a.b/c-d', context: false, description: null, raw: [], outputSchema: {} })
  const asking = component({
    name: '/x',
    input: Type.Object({}),
    run: (_input, context) => context.instanceId,
  })
  t.match(asking, { path: '/x', context: true })
  t.equal(component({ name: 'y', input: Type.Object({}), context: true, run: () => 1 }).context, true)
})

t.test('refuses names, missing parts and Raw in places it cannot stand', async (t) => {
  for (const name of ['', '/', 'a b', '/a/', 'a//b', '../x', 5, undefined]) {
    t.throws(() => component({ name: name as string, input: Type.Object({}), run: () => 1 }), {
      code: 'ERR_COMPONENT',
      message: /^name: got/,
    })
  }
  t.throws(() => component({ name: 'a', input: Type.Object({}) } as never), {
    message: /^\/a run: is missing/,
  })
  t.throws(() => component({ name: 'a', run: () => 1 } as never), { message: /^\/a input: is missing/ })
  const deep = Type.Object({ list: Type.Array(Raw()) })
  t.throws(() => component({ name: 'a', input: deep, run: () => 1 }), { message: /^\/a input: has Raw/ })
  t.strictSame(component({ name: 'a', input: Type.Object({ x: Raw() }), run: () => 1 }).raw, ['x'])
  t.equal(component({ name: 'a', input: Raw(), run: () => 1 }).raw, 'whole')
})

t.test('names each wrong field of an input once', async (t) => {
  const { read: check } = component({
    name: 'a',
    input: Type.Object({
      n: Type.Integer({ maximum: 30 }),
      list: Type.Array(Type.String()),
      gone: Type.Null(),
    }),
    run: () => 1,
  })
  const good = { n: 1, list: [], gone: null, more: 1 }
  t.equal(check(good), good)
  const error = caught(() => check({ n: 31, list: ['a', 2] }))
  t.equal(error.code, -32002)
  t.equal(
    error.message,
    'Invalid input: $.gone: Expected required property; ' +
      '$.n: Expected integer to be less or equal to 30, got 31; $.list[1]: Expected string, got 2',
  )
  t.strictSame(error.data, { fields: ['$.gone', '$.n', '$.list[1]'] })
  t.match(
    caught(() => check(5)),
    { message: 'Invalid input: $: Expected object, got 5' },
  )
})

t.test('counts the problems it does not name', async (t) => {
  const { read: check } = component({ name: 'a', input: Type.Array(Type.Number()), run: () => 1 })
  const error = caught(() => check(new Array(9).fill('x'.repeat(100))))
  t.match(error.message, /; and 4 more$/)
  t.ok(error.message.length < 500)
})

const run = (name: string, input: object): unknown =>
  builtInComponents.find(({ path }) => path === `/${name}`)?.run(input as never, undefined as never)

t.test('the built-in ones compute', async (t) => {
  t.strictSame(run('double', { value: 4 }), { result: 8 })
  t.strictSame(run('square', { value: -1.5 }), { result: 2.25 })
  t.strictSame(run('add', { a: 1, b: 2 }), { result: 3 })
  t.strictSame(run('multiply', { a: 6, b: 7 }), { result: 42 })
  t.strictSame(run('fibonacci', { n: 0 }), { result: 0 })
  t.strictSame(run('fibonacci', { n: 20 }), { result: 6765 })
  t.match(run('compute_intensive_task', { value: 4, iterations: 9 }), {
    result: 5,
    processing_time_ms: Number,
  })
  t.match(run('compute_intensive_task', { value: 5 }), { result: Math.sqrt(1025) })
})

t.test('the built-in ones refuse a result that JSON cannot hold', async (t) => {
  t.match(
    caught(() => run('multiply', { a: 1e300, b: 1e300 })),
    { code: -32005, message: /^result/ },
  )
})

t.test('takes zod schemas: their types, defaults, problems and JSON Schema', async (t) => {
  const shout = component({
    name: 'shout',
    input: z.object({
      text: z.string(),
      list: z.array(z.number()).optional(),
      times: z.int().max(9).default(1),
    }),
    output: z.object({ result: z.string() }),
    run: ({ text, times }) => ({ result: text + '!'.repeat(times) }),
  })
  t.strictSame(shout.run(shout.read({ text: 'a' }) as never, undefined as never), { result: 'a!' })
  t.match(shout.inputSchema, { type: 'object', required: ['text'], properties: { times: { default: 1 } } })
  t.match(shout.outputSchema, { properties: { result: { type: 'string' } } })
  const error = caught(() => shout.read({ times: 10, list: [1, 'x'] }))
  t.match(error, { code: -32002, data: { fields: ['$.text', '$.list[1]', '$.times'] } })
  t.match(error.message, /^Invalid input: \$\.text: Invalid input: expected string/)
})

t.test('takes a schema that checks asynchronously and knows no JSON Schema', async (t) => {
  const input: StandardSchema<unknown, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) =>
        typeof value === 'number'
          ? { value: value + 1 }
          : { issues: [{ message: 'no', path: [{ key: 'a' }] }] },
    },
  }
  const { read, inputSchema } = component({ name: 'a', input, run: (value) => value })
  t.strictSame(inputSchema, {})
  t.equal(await read(1), 2)
  await t.rejects(read('x') as Promise<unknown>, { code: -32002, message: 'Invalid input: $.a: no' })
})
