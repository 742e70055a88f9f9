// Test of the known answers: those who judge give them. That a wrong one is noticed is proved by planted defects.

import t from 'tap'
import { judgeJudges } from './known-answers.ts'

t.test('all who judge are awake', async (t) => {
  t.match(judgeJudges(), { outcome: 'pass', reason: /known answers/ })
})
