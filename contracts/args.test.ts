import t from 'tap'
import { readArgs } from './args.ts'

t.test('names the argument that is wrong, with a code and what to do', (t) => {
  const read = (...args: string[]) =>
    readArgs({ args, options: { slice: { type: 'boolean' }, seed: { type: 'string' } } })
  t.match(read('--slice', '--seed', '1').values, { slice: true, seed: '1' })
  const unknown = 'is not an option of this command, see --help (ERR_FLAG_UNKNOWN)'
  const value = 'has a value too few or too many, see --help (ERR_FLAG_VALUE)'
  t.throws(() => read('--bogus'), { message: `--bogus: ${unknown}` })
  t.throws(() => read('extra'), { message: `extra: ${unknown}` })
  t.throws(() => read('--slice=3'), { message: `--slice: ${value}` })
  t.throws(() => read('--seed'), { message: `--seed: ${value}` })
  t.throws(() => read('--seed', '--slice'), { message: `--seed: ${value}` })
  t.end()
})
