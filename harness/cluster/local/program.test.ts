// Tests of the command line and environment of each program.

import { test } from 'tap'
import type { Role } from '../../../contracts/cluster.ts'
import { podFiles } from './pod-files.ts'
import { type ProgramOptions, programOf } from './program.ts'
import type { BootPlan } from './protocol.ts'
import { defaultReplicas, defaultSettings } from './settings.ts'

const plan: BootPlan = {
  settings: {
    ...defaultSettings,
    programs: { runtime: '/r.ts', balancer: '/b.ts', 'component-server': '/c.ts' },
  },
  replicas: defaultReplicas,
  runtimeConfig: '',
  env: { runtime: { EXTRA: '1' } },
  componentFiles: ['/mine.ts', '/more.ts'],
  nodeArgs: { balancer: ['--import', '/defect.ts'] },
  links: [],
  directory: null,
}
const at = { address: '127.65.0.21', port: 8080, adminPort: 8081, metricsPort: 9090 }
const options = (role: Role): ProgramOptions => ({
  plan,
  role,
  podName: 'pod-x',
  at,
  dns: '127.65.0.1:1053',
  files: podFiles('/dir', 'pod-x'),
  temporaryFolder: '/dir/tmp/pod-x',
  runtimeConfigFile: '/dir/config.yml',
  parentEnv: {
    PATH: '/bin',
    HOME: '/home',
    SECRET: 'x',
    NODE_OPTIONS: '--inspect',
    NODE_V8_COVERAGE: '/cov',
  },
})
const program = (role: Role) => programOf(options(role))

test('gives each program its flags', async (t) => {
  const listen = ['--host', '127.65.0.21', '--port', '8080']
  const admin = ['--admin-address', '127.65.0.21:8081']
  t.same(program('runtime').args, ['/r.ts', ...listen, '--config', '/dir/config.yml', ...admin])
  t.same(program('balancer').args, ['--import', '/defect.ts', '/b.ts'])
  const components = ['--components', '/mine.ts', '--components', '/more.ts']
  t.same(program('component-server').args, [
    '/c.ts',
    ...listen,
    ...admin,
    '--drain-delay-ms',
    '0',
    ...components,
  ])
})

test('shares a compile cache between programs, but not while coverage is taken', async (t) => {
  const cached = (parentEnv: Record<string, string>) =>
    programOf({ ...options('runtime'), parentEnv: { PATH: '/bin', ...parentEnv } })
  t.match(cached({}).env['NODE_COMPILE_CACHE'], /node_modules.\.cache/)
  t.match(cached({}).args.join(' '), /^--import \S+flush-compile-cache\.ts \/r\.ts/)
  t.equal(cached({ NODE_COMPILE_CACHE: '/theirs' }).env['NODE_COMPILE_CACHE'], '/theirs')
  for (const off of [{ NODE_V8_COVERAGE: '/cov' }, { NODE_DISABLE_COMPILE_CACHE: '1' }]) {
    t.notOk('NODE_COMPILE_CACHE' in cached(off).env)
    t.equal(cached(off).args[0], '/r.ts')
  }
})

test('gives each program its environment and little of the parent’s', async (t) => {
  const common = {
    PATH: '/bin',
    HOME: '/home',
    NODE_V8_COVERAGE: '/cov',
    POD_NAME: 'pod-x',
    POD_IP: '127.65.0.21',
    STEPFLOW_DNS: '127.65.0.1:1053',
    HISTORY_FILE: '/dir/history/pod-x.ndjson',
    HISTORY_BUFFER: '/dir/history/pod-x.buffer',
    TMPDIR: '/dir/tmp/pod-x',
  }
  t.same(program('runtime').env, { ...common, EXTRA: '1' })
  t.same(program('component-server').env, common)
  t.same(program('balancer').env, {
    ...common,
    UPSTREAM_SERVICE: 'component-server.stepflow-demo.svc.cluster.local:8080',
    UPSTREAM_AFFINITY_SERVICE: 'component-server-all.stepflow-demo.svc.cluster.local:8080',
    BIND_ADDRESS: '127.65.0.21:8080',
    METRICS_ADDRESS: '127.65.0.21:9090',
    ADMIN_ADDRESS: '127.65.0.21:8081',
    DRAIN_IDLE_MS: '1500',
  })
})
