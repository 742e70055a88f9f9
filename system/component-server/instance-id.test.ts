// Tests of instance ids: what a header carries unchanged passes, all else is refused.

import t from 'tap'
import { checkInstanceId } from './instance-id.ts'

t.test('takes what a header carries unchanged', async (t) => {
  for (const id of ['component-server-x2x8q-0badcafe', 'a', '~!{}', 'x'.repeat(256)])
    t.equal(checkInstanceId(id), id)
})

t.test('refuses the rest', async (t) => {
  for (const id of ['', 'a b', 'é', 'a\n', 'x'.repeat(257)]) {
    t.throws(() => checkInstanceId(id), { code: 'ERR_FLAG_VALUE', message: /^--instance-id/ })
  }
})
