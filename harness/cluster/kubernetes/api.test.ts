import { ApiException } from '@kubernetes/client-node'
import { test } from 'tap'
import { explain, persist } from './api.ts'

/** A call that fails so often before it succeeds. */
function failing(times: number, error: () => Error) {
  const calls = { made: 0 }
  const call = async (): Promise<string> => {
    calls.made++
    if (calls.made <= times) throw error()
    return 'done'
  }
  return { call, calls }
}

test('a call that did not arrive is made again, and given up after the fourth', async (t) => {
  const twice = failing(2, () => new TypeError('fetch failed'))
  t.equal(await persist(twice.call, 1), 'done')
  t.equal(twice.calls.made, 3)
  const busy = failing(1, () => new ApiException(503, 'busy', '', {}))
  t.equal(await persist(busy.call, 1), 'done')
  const never = failing(9, () => new TypeError('fetch failed'))
  await t.rejects(persist(never.call, 1), { message: 'fetch failed' })
  t.equal(never.calls.made, 4)
})

test('an answer is an answer', async (t) => {
  for (const code of [403, 404, 409, 429]) {
    const refused = failing(1, () => new ApiException(code, 'no', '', {}))
    await t.rejects(persist(refused.call, 1), { code })
    t.equal(refused.calls.made, 1)
  }
})

test("errors carry the API server's words, and the role where rights are missing", async (t) => {
  const body = JSON.stringify({ kind: 'Status', message: 'pods is forbidden' })
  t.match(
    explain('list pods', new ApiException(403, 'm', body, {})).message,
    /list pods: pods is forbidden.*harness/,
  )
  const cause = new Error('other side closed')
  t.match(
    explain('list pods', new TypeError('fetch failed', { cause })).message,
    /fetch failed \(other side closed\)/,
  )
})
