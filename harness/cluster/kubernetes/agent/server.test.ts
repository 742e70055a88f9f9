import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { AgentLink } from '../agent-link.ts'
import { type AgentServer, startAgentServer } from './server.ts'

const started = (pid: number): string =>
  `{"at":1,"kind":"process.started","witness":"balancer","pod":"a","pid":${pid},"wallMs":1}\n`

async function setUp(t: Test, text: string): Promise<{ server: AgentServer; file: string; folder: string }> {
  const folder = t.testdir({ proc: {} })
  const file = join(folder, 'history.ndjson')
  writeFileSync(file, text)
  const server = await startAgentServer({
    ...{ host: '127.0.0.1', port: 0, token: 'right', historyFile: file },
    procfs: { folder: join(folder, 'proc'), ownPid: 1000 },
  })
  t.teardown(() => server.close())
  return { server, file, folder: join(folder, 'proc') }
}

function linkTo(t: Test, server: AgentServer, token = 'right'): AgentLink {
  const address = async (): Promise<string> => `127.0.0.1:${server.port}`
  const link = new AgentLink({ pod: 'a', token, address, originMs: 0 })
  t.teardown(() => link.stop())
  return link
}

/** A process as /proc shows it: its mount namespace, and its state. */
function process_(folder: string, pid: number, namespace: string, state = 'S'): void {
  mkdirSync(join(folder, String(pid), 'ns'), { recursive: true })
  symlinkSync(`mnt:[${namespace}]`, join(folder, String(pid), 'ns/mnt'))
  writeFileSync(join(folder, String(pid), 'stat'), `${pid} (a) b) ${state} 1\n`)
}

test('refuses whoever does not hold the token', async (t) => {
  const { server } = await setUp(t, started(7))
  await t.rejects(linkTo(t, server, 'wrong').signal('SIGKILL'), { code: 'ERR_CLUSTER', message: /401/ })
})

test('a follower gets what is there, what comes, and the rest when the agent ends', async (t) => {
  const { server, file } = await setUp(t, started(7))
  const link = linkTo(t, server)
  link.follow()
  await link.catchUp()
  t.equal(link.text, started(7))
  appendFileSync(file, '{"at":2,"kind":"a"}\n{"at":3,')
  await link.catchUp()
  t.equal(link.text, `${started(7)}{"at":2,"kind":"a"}\n`, 'whole lines only')
  appendFileSync(file, '"kind":"b"}\n')
  await server.close()
  await link.end()
  t.equal(link.text, readFileSync(file, 'utf8'))
})

test('a signal reaches the processes of the program’s container alone, and resolves when it took effect', async (t) => {
  const program = spawn('sleep', ['60'])
  const neighbour = spawn('sleep', ['60'])
  t.teardown(() => neighbour.kill('SIGKILL'))
  const { server, folder } = await setUp(t, started(program.pid ?? 0))
  process_(folder, 1000, 'agent')
  process_(folder, program.pid ?? 0, 'program', 'Z')
  process_(folder, neighbour.pid ?? 0, 'neighbour')
  const ended = once(program, 'exit')
  t.equal(await linkTo(t, server).signal('SIGKILL'), started(program.pid ?? 0).length)
  t.same(await ended, [null, 'SIGKILL'])
  t.equal(neighbour.exitCode, null)
  t.equal(neighbour.signalCode, null)
})

test('says so where no program runs', async (t) => {
  const { server, folder } = await setUp(t, '')
  process_(folder, 1000, 'agent')
  await t.rejects(linkTo(t, server).signal('SIGSTOP'), { code: 'ERR_CLUSTER', message: /no program runs/ })
})

test('a history of trials that are over is shortened to what still stands', async (t) => {
  const long = `{"at":5,"kind":"run.ended","x":"${'x'.repeat(2_000)}"}\n`
  const { server, file } = await setUp(
    t,
    [
      '{"at":1,"kind":"process.started","witness":"balancer","pod":"a","pid":6,"wallMs":1}\n',
      '{"at":2,"kind":"backend.state","backend":"b:1","state":"ready"}\n',
      started(7),
      '{"at":3,"kind":"backend.state","backend":"c:1","state":"ready"}\n',
      long.repeat(2_500),
      '{"at":9,"kind":"backend.state","backend":"c:1","state":"gone"}\n',
    ].join(''),
  )
  const link = linkTo(t, server)
  await link.compactStale()
  t.equal(
    readFileSync(file, 'utf8'),
    `${started(7)}{"at":9,"kind":"backend.state","backend":"c:1","state":"gone"}\n`,
  )
  link.follow()
  await link.catchUp()
  t.equal(link.text, readFileSync(file, 'utf8'))
})

test('a pod that no agent answers for is named', async (t) => {
  const { server } = await setUp(t, started(7))
  await server.close()
  await t.rejects(linkTo(t, server).signal('SIGKILL'), { code: 'ERR_CLUSTER', field: 'a' })
})
