// Tests of the known answers: every checker gives them, and one that reads nothing or forgives does not.

import t from 'tap'
import { Findings } from './checker.ts'
import { checkers } from './index.ts'
import { checkerProblems } from './proof.ts'

t.test('every checker gives the known answers', async (t) => {
  t.same(checkerProblems(checkers), [])
})

t.test('a checker that reads nothing is found out', async (t) => {
  const asleep = { ...checkers.affinity, check: () => new Findings() }
  t.same(checkerProblems({ ...checkers, affinity: asleep }), [
    'affinity: says unknown of a history that breaks its claim',
  ])
})

t.test('so is one that always fails', async (t) => {
  const check = () => {
    const findings = new Findings()
    findings.violation('always')
    return findings
  }
  t.same(checkerProblems({ ...checkers, once: { ...checkers.once, check } }), [
    'once: says fail of a history in which all is well',
  ])
})
