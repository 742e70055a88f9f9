import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'

t.test('tests whose starter is gone end, and with them what they started', async (t) => {
  // The program that the test starts holds a connection: it closes when the program is gone.
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const program = `require('net').connect(${port}, '127.0.0.1')`
  const file = join(
    t.testdir({
      'long.mjs': `import { spawn } from 'node:child_process'
spawn(process.execPath, ['-e', ${JSON.stringify(program)}])
setTimeout(() => {}, 60_000)`,
    }),
    'long.mjs',
  )
  const child = spawn(process.execPath, [join(import.meta.dirname, 'test-group.ts')], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    detached: true,
    env: { ...process.env, TEST_FILES: file },
  })
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [closed, ended] = [once(socket.resume(), 'close'), once(child, 'exit')]
  child.disconnect()
  t.same((await ended).slice(0, 2), [null, 'SIGTERM'])
  await closed
})
