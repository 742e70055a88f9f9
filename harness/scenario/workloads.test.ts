import { join } from 'node:path'
import t from 'tap'
import { seededRandom } from './random.ts'
import { builtInWorkload, userWorkload } from './workloads.ts'

t.test(
  'the same seed gives the same inputs, another seed others, and no two runs share a payload',
  async (t) => {
    for (const name of ['double', 'bidirectional', 'parallel', 'batch', 'hold'] as const) {
      const make = (seed: number) => builtInWorkload(name, seededRandom(seed), { inputs: 200 })
      t.same(make(1), make(1))
      t.notSame(make(1).inputs, make(2).inputs)
      t.equal(make(1).inputs.length, 200)
      t.equal(make(1).expected?.length, 200)
      const payloads = new Set(make(1).inputs.map((input) => JSON.stringify(input)))
      t.equal(payloads.size, 200, `${name}: unique inputs tell results of other runs apart`)
    }
  },
)

t.test("a user's own files are read, YAML or JSON", async (t) => {
  const folder = t.testdir({
    'flow.yaml': 'name: mine\nsteps: []\noutput: 1\n',
    'inputs.json': '[1, 2]',
    'expect.json': '[1, 1]',
  })
  const at = (name: string): string => join(folder, name)
  t.match(userWorkload(at('flow.yaml'), at('inputs.json'), at('expect.json')), {
    name: 'mine',
    inputs: [1, 2],
    expected: [1, 1],
  })
  t.strictSame(userWorkload(at('flow.yaml'), null, null).inputs, [{}])
})

t.test('says which file is wrong and how to mend it', async (t) => {
  const folder = t.testdir({
    'flow.yaml': 'steps: []',
    'list.yaml': '[1]',
    'broken.yaml': 'a: [1',
    'two.json': '[1, 2]',
    'one.json': '[1]',
    'none.json': '[]',
  })
  const at = (name: string): string => join(folder, name)
  t.throws(() => userWorkload(at('missing.yaml'), null, null), { code: 'ERR_CONFIG_READ' })
  t.throws(() => userWorkload(at('broken.yaml'), null, null), { code: 'ERR_CONFIG_SYNTAX' })
  t.throws(() => userWorkload(at('list.yaml'), null, null), { code: 'ERR_CONFIG_FIELD', message: /--flow/ })
  t.throws(() => userWorkload(at('flow.yaml'), at('none.json'), null), {
    code: 'ERR_CONFIG_FIELD',
    message: /--inputs/,
  })
  t.throws(() => userWorkload(at('flow.yaml'), at('two.json'), at('one.json')), {
    message: /1 results for 2 inputs/,
  })
})
