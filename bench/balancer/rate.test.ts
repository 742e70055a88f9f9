// Which rounds of the rate benchmark say something, and when the whole of it says nothing.

import t from 'tap'
import { isTrusted, isUndisturbed, type RateRound, trustedOf, untrusted } from './rate.ts'

/** A round in which the balancer had its core to itself and used it up. */
const good: RateRound = {
  rps: 35_000,
  cpuUsPerRequest: 26,
  balancerCores: 0.98,
  balancerCoreBusy: 0.99,
  loadCoreBusy: 0.97,
  foreignCores: 0.02,
}

t.test('trusts a balancer that used its core up, however busy the load’s is', async (t) => {
  t.equal(isTrusted(good), true)
  t.equal(isTrusted({ ...good, loadCoreBusy: 1 }), true)
})

t.test('trusts no round whose load was busy above 90 % while the balancer was not', async (t) => {
  t.equal(isTrusted({ ...good, balancerCores: 0.8, balancerCoreBusy: 0.8, loadCoreBusy: 0.91 }), false)
  t.equal(isTrusted({ ...good, balancerCores: 0.8, balancerCoreBusy: 0.8, loadCoreBusy: 0.9 }), true)
})

t.test('trusts no round in which something else had the balancer’s core', async (t) => {
  t.equal(isTrusted({ ...good, balancerCores: 0.8, balancerCoreBusy: 0.99, loadCoreBusy: 0.5 }), false)
})

t.test('sees what is no part of the benchmark', async (t) => {
  t.equal(isUndisturbed(good), true)
  t.equal(isUndisturbed({ ...good, foreignCores: 0.3 }), false)
})

t.test('is invalid once most rounds of a balancer cannot be trusted, and says so', async (t) => {
  const bad = { ...good, balancerCores: 0.7, balancerCoreBusy: 0.72 }
  t.equal(untrusted('rate of ours', [good, good, bad], isTrusted), null)
  t.equal(untrusted('rate of ours', [good, bad], isTrusted), null)
  t.match(untrusted('rate of ours', [good, bad, bad], isTrusted), /^rate of ours: .* 2 of 3 rounds$/)
  t.match(untrusted('rate of ours', [], isTrusted), /no round/)
})

t.test('takes its figures from the rounds that are trusted', async (t) => {
  const bad = { ...good, balancerCores: 0.3, balancerCoreBusy: 1 }
  t.same(trustedOf([bad, good, bad], isTrusted), [good])
  t.same(trustedOf([bad, bad], isTrusted), [bad, bad])
})
