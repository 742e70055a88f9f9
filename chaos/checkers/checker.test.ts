import t from 'tap'
import { type Checker, Findings, notVacuous, runChecker } from './checker.ts'
import { aRun, historyOf } from './sample-history.ts'

function aChecker(look: (findings: Findings) => void): Checker {
  return {
    name: 'sample',
    claim: 'something holds',
    check() {
      const findings = new Findings()
      look(findings)
      return findings
    },
  }
}

t.test('fail beats unknown beats pass', async (t) => {
  const outcome = (look: (findings: Findings) => void) => runChecker(aChecker(look), []).outcome
  const ok = (findings: Findings): void => {
    findings.examined = 3
  }
  t.equal(outcome(ok), 'pass')
  t.equal(
    outcome((f) => [ok(f), f.cannotTell('x')]),
    'unknown',
  )
  t.equal(
    outcome((f) => [ok(f), f.cannotTell('x'), f.violation('y')]),
    'fail',
  )
  t.equal(
    outcome(() => {}),
    'unknown',
    'nothing was looked at',
  )
  t.equal(
    outcome((f) => f.violation('y')),
    'fail',
  )
})

t.test('a checker that throws is unknown', async (t) => {
  const broken = aChecker(() => {
    throw new Error('oops')
  })
  t.match(runChecker(broken, []), { outcome: 'unknown', reason: /the checker broke: Error: oops/ })
})

t.test('shows at most twenty examples, violations first, and counts all', async (t) => {
  const many = aChecker((findings) => {
    findings.examined = 60
    for (let i = 0; i < 15; i++) findings.cannotTell(`unclear ${i}`)
    for (let i = 0; i < 15; i++) findings.violation(`wrong ${i}`)
  })
  const { examples, reason } = runChecker(many, [])
  t.equal(examples?.length, 20)
  t.equal(examples?.[0], 'wrong 0')
  t.equal(examples?.[15], 'unclear 0')
  t.match(reason, /15 of 60/)
})

t.test('a kill is over a quarter second after it, where nobody saw it', async (t) => {
  const kills = [{ pod: 'a', role: 'runtime', at: 5 }] as const
  const seen: Checker = {
    ...aChecker(() => {}),
    check(_history, context) {
      t.match(context, { kills: [{ at: 5, goneAt: 250_005 }], collectedAt: 1_130, deadlineUs: 5_000_000 })
      return new Findings()
    },
  }
  runChecker(seen, historyOf(aRun()), { kills })
})

t.test('too few operations prove nothing', async (t) => {
  t.match(notVacuous('streams', 'claim', 20, 20), { outcome: 'pass', examined: 20 })
  t.equal(notVacuous('streams', 'claim', 19, 20).outcome, 'unknown')
  t.equal(notVacuous('streams', 'claim', 0, 0).outcome, 'unknown')
})
