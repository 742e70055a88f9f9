// Tests of limits on a running process: put on, put back as they were, and never said to be on what is gone.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import type { Cluster } from '../../contracts/cluster.ts'
import { skipUnless } from '../../test/skip.ts'
import { addressSpace, liftSoftLimit, limitsSupport, setSoftLimit, softLimit } from './limits.ts'

const here = { hooks: { processId: async () => 1 } } as unknown as Cluster
const why = limitsSupport(here)

t.test(
  'a limit is put back as it was, also under a hard one',
  { skip: skipUnless('prlimit', why) },
  async (t) => {
    const child = spawn('sh', ['-c', 'ulimit -Sv 4000000; ulimit -Hv 8000000; echo; exec sleep 60'])
    t.teardown(() => child.kill())
    await once(child.stdout, 'data')
    const pid = child.pid ?? 0
    const before = softLimit(pid, 'as')
    t.equal(before, 4_000_000 * 1024)
    t.ok(addressSpace(pid) > 0)
    await setSoftLimit(pid, 'as', 2 ** 30)
    t.equal(softLimit(pid, 'as'), 2 ** 30)
    await liftSoftLimit(pid, 'as', before)
    t.equal(softLimit(pid, 'as'), before)
  },
)

t.test(
  'a process that is gone is not limited, and has nothing to lift',
  { skip: skipUnless('prlimit', why) },
  async (t) => {
    const child = spawn('true')
    const pid = child.pid ?? 0
    await once(child, 'exit')
    t.throws(() => addressSpace(pid))
    await t.rejects(setSoftLimit(pid, 'as', 2 ** 30), /is gone/)
    await liftSoftLimit(pid, 'as', null)
  },
)
