// Coverage reaches into the pods, also into those that are killed.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { fakeCluster, fakeProgram } from '../e2e/local-cluster-helpers.ts'

test('pods write their coverage before a planned kill, and cost nothing otherwise', async (t) => {
  const before = process.env['NODE_V8_COVERAGE']
  const folder = mkdtempSync(join(tmpdir(), 'coverage-test-'))
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_V8_COVERAGE']
    else process.env['NODE_V8_COVERAGE'] = before
    rmSync(folder, { recursive: true })
  })
  const covered = (): number =>
    readdirSync(folder).filter((file) => readFileSync(join(folder, file), 'utf8').includes(fakeProgram))
      .length
  process.env['NODE_V8_COVERAGE'] = folder
  const cluster = await fakeCluster({ replicas: { balancer: 1, 'component-server': 2 } })
  t.equal(covered(), 0)
  const [first, second] = await cluster.pods('component-server')
  await cluster.deletePod(first!.name, { gracePeriodSeconds: 0 })
  t.equal(covered(), 1, 'deleted at once')
  await cluster.signalPod(second!.name, 'SIGSTOP')
  await cluster.deletePod(second!.name, { gracePeriodSeconds: 0 })
  t.equal(covered(), 1, 'a frozen pod cannot answer and goes all the same')
  await cluster.waitReady('component-server')
  await cluster.stop()
  t.equal(covered(), 5, 'killed at the end')
})
