// Tests of one pod with a real process: readiness, restarts, every way to end.

import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { hasParentDeathSignal } from './launch.ts'
import { podFiles } from './pod-files.ts'
import { PodProcess } from './pod-process.ts'
import { defaultSettings, type LocalSettings } from './settings.ts'

/** A program that is ready when its file says so, and writes its signals down. */
const script = `
const { createServer } = require('node:http')
let ready = true
process.on('SIGTERM', () => { console.log('SIGTERM'); if (process.env.DEAF !== '1') process.exit(0) })
process.on('SIGUSR2', () => { ready = !ready })
createServer((request, response) => {
  response.writeHead(request.url === '/readyz' && !ready ? 503 : 200).end()
}).listen(Number(process.env.PORT), '127.0.0.1', () => console.log('up'))
if (process.env.CHILD === '1') {
  const child = require('node:child_process').spawn('sleep', ['1000'])
  console.log('child ' + child.pid)
}
`

interface Started {
  readonly pod: PodProcess
  readonly log: () => string
  /** Resolves at the first state for which `check` holds, now or after a change. */
  until(check: (pod: PodProcess) => boolean): Promise<void>
}

async function start(
  t: Test,
  env: Record<string, string> = {},
  settings: Partial<LocalSettings> = {},
): Promise<Started> {
  const directory = mkdtempSync(join(tmpdir(), 'pod-process-test-'))
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address() as { port: number }
  holder.close()
  const listeners = new Set<() => void>()
  const files = { ...podFiles(directory, 'p'), logFile: join(directory, 'p.log') }
  const pod = new PodProcess({
    spec: {
      name: 'p',
      role: 'runtime',
      revision: 'r',
      at: { address: '127.0.0.1', port: 1, adminPort: port, metricsPort: 2 },
      args: ['-e', script],
      env: { PATH: process.env['PATH'] ?? '', PORT: String(port), ...env },
      files,
    },
    settings: {
      ...defaultSettings,
      preStopMs: 0,
      readinessIntervalMs: 20,
      startupIntervalMs: 20,
      ...settings,
    },
    parentDeathSignal: hasParentDeathSignal(),
    now: () => Number(process.hrtime.bigint() / 1000n),
    changed: () => {
      for (const listener of [...listeners]) listener()
    },
  })
  t.teardown(async () => {
    pod.terminate(0)
    await pod.gone
    rmSync(directory, { recursive: true })
  })
  return {
    pod,
    log: () => readFileSync(files.logFile, 'utf8'),
    until: (check) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!check(pod)) return
          listeners.delete(look)
          resolve()
        }
        listeners.add(look)
        look()
      }),
  }
}

test('becomes ready by its probe and ends by SIGTERM', async (t) => {
  const { pod, until, log } = await start(t)
  t.match(pod.pod, { phase: 'Pending', ready: false })
  pod.start()
  t.match(pod.pod, { phase: 'Running', ready: false })
  await until(({ ready }) => ready)
  t.ok(pod.pod.readyAt! >= pod.pod.createdAt)
  pod.terminate(30_000)
  t.match(pod.pod, { phase: 'Terminating', ready: false }, 'not ready at once')
  await pod.gone
  t.match(pod.pod, { phase: 'Succeeded' })
  t.match(log(), 'SIGTERM')
})

test('is killed when its grace period is over, and at once when that is 0', async (t) => {
  const first = await start(t, { DEAF: '1' })
  first.pod.start()
  await first.until(({ ready }) => ready)
  first.pod.terminate(50)
  await first.pod.gone
  t.match(first.log(), 'SIGTERM')
  t.match(first.pod.status.lastExit, 'SIGKILL')
  t.equal(first.pod.pod.phase, 'Failed')
  const second = await start(t, { DEAF: '1' })
  second.pod.start()
  await second.until(({ ready }) => ready)
  second.pod.terminate(0)
  await second.pod.gone
  t.notMatch(second.log(), 'SIGTERM')
})

test('hurries up when it is deleted again', async (t) => {
  const { pod, until } = await start(t, { DEAF: '1' }, { preStopMs: 60_000 })
  pod.start()
  await until(({ ready }) => ready)
  pod.terminate(60_000)
  pod.terminate(0)
  await pod.gone
  t.pass()
})

test('ends while stopped by SIGSTOP', async (t) => {
  const { pod, until } = await start(t)
  pod.start()
  await until(({ ready }) => ready)
  pod.signal('SIGSTOP')
  pod.terminate(50)
  await pod.gone
  t.match(pod.status.lastExit, 'SIGKILL')
})

test('is not ready while frozen, and ready again afterwards, without a restart', async (t) => {
  const { pod, until } = await start(t, {}, { readinessTimeoutMs: 100 })
  pod.start()
  await until(({ ready }) => ready)
  const { readyAt } = pod.pod
  pod.signal('SIGSTOP')
  await until(({ ready }) => !ready)
  t.match(pod.status.notReady, 'no answer in 100 ms')
  pod.signal('SIGCONT')
  await until(({ ready }) => ready)
  t.match(pod.pod, { restarts: 0, readyAt: readyAt! })
})

test('follows what the program says of its readiness', async (t) => {
  const { pod, until } = await start(t)
  pod.start()
  await until(({ ready }) => ready)
  pod.signal('SIGUSR2')
  await until(({ ready }) => !ready)
  t.match(pod.status.notReady, 'HTTP 503')
  pod.signal('SIGUSR2')
  await until(({ ready }) => ready)
  t.equal(pod.pod.restarts, 0)
})

test('is killed and started again when it does not live', async (t) => {
  const quick = {
    livenessIntervalMs: 20,
    livenessTimeoutMs: 50,
    livenessFailures: 2,
    readinessFailures: 1_000,
  }
  const { pod, until } = await start(t, {}, quick)
  pod.start()
  await until(({ ready }) => ready)
  const { pid } = pod.status
  pod.signal('SIGSTOP')
  await until((one) => one.pod.restarts === 1 && one.ready)
  t.not(pod.status.pid, pid)
})

test('is started again when it never answers', async (t) => {
  const { pod, until } = await start(t, { PORT: '0' }, { startupTimeoutMs: 100 })
  pod.start()
  await until((one) => one.pod.restarts === 1)
  t.match(pod.status.lastExit, 'SIGKILL')
})

test('kills with a program what that has started', async (t) => {
  const { pod, until, log } = await start(t, { CHILD: '1' })
  pod.start()
  await until(({ ready }) => ready)
  const child = Number(/child (\d+)/.exec(log())?.[1])
  t.ok(child > 1)
  pod.terminate(30_000)
  await pod.gone
  const gone = (): boolean => {
    try {
      return /^\d+ \(sleep\) Z/.test(readFileSync(`/proc/${child}/stat`, 'latin1'))
    } catch {
      return true
    }
  }
  while (!gone()) await new Promise((resolve) => setTimeout(resolve, 5))
  t.pass('it is gone')
})
