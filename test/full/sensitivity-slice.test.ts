// The slice of planted defects that CI has time for is caught, each by its checker; all of them are `npm run sensitivity`.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'

const root = join(import.meta.dirname, '../..')
t.setTimeout(900_000)

t.test('every defect of the slice is caught by the checker meant for it', async (t) => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(root, 'test/sensitivity/main.ts'), '--slice'],
    { cwd: root, encoding: 'utf8' },
  )
  t.equal(status, 0, `${stdout}${stderr}`)
  t.match(stdout, /^goal caught-by-its-checker: .* met$/m)
})
