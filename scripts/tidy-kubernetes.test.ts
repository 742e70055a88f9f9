import { test } from 'tap'
import { type Machine, tidyKubernetes } from './tidy-kubernetes.ts'

function machine(kit: boolean, system: boolean): Machine & { kit: boolean; system: boolean; did: string[] } {
  const state = { kit, system, did: [] as string[] }
  return Object.assign(state, {
    kitIsUp: () => state.kit,
    systemIsThere: () => state.system,
    kitDown: () => state.did.push('down') > 0,
    undeploy: () => state.did.push('undeploy') > 0,
    removeTestObjects: () => state.did.push('remove') > 0,
  })
}

test('a cluster that the tests brought up is taken down', async (t) => {
  const here = machine(false, false)
  const tidy = tidyKubernetes(here)
  Object.assign(here, { kit: true, system: true })
  t.ok(tidy())
  t.same(here.did, ['down'])
})

test('of a cluster that was there the system alone is taken away, unless that was there too', async (t) => {
  const here = machine(true, false)
  const tidy = tidyKubernetes(here)
  here.system = true
  t.ok(tidy())
  t.same(here.did, ['remove', 'undeploy'])
  const before = machine(true, true)
  t.ok(tidyKubernetes(before)())
  t.same(before.did, ['remove'])
})

test('where nothing was made nothing is done, and what cannot be taken away is told', async (t) => {
  const none = machine(false, false)
  t.ok(tidyKubernetes(none)())
  t.same(none.did, ['remove'])
  const stuck = { ...machine(false, false), kitIsUp: () => false, undeploy: () => false }
  let there = false
  const tidy = tidyKubernetes({ ...stuck, systemIsThere: () => there })
  there = true
  t.notOk(tidy())
})
