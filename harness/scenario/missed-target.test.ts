import t from 'tap'
import { excuseFor } from './missed-target.ts'

const second = (othersShare: number, ownShare: number, stealShare = 0) => ({
  ...{ second: 0, othersShare, ownShare, stealShare },
})
const latency = { unit: 'ms', comparison: 'at most' } as const
const rate = { unit: 'req/s', comparison: 'at least' } as const

t.test('a miss on a machine that had time left is a miss', async (t) => {
  t.equal(excuseFor(latency, [second(0.02, 0.85), second(0.01, 0.88)]), null)
  t.equal(excuseFor(rate, [second(0.1, 0.7)]), null)
  t.equal(excuseFor(latency, null), null, 'not measured')
  t.equal(excuseFor(latency, [null]), null, 'not sampled')
})

t.test('others, or the hypervisor, that took over a fifth of the machine excuse any miss', async (t) => {
  t.match(excuseFor(latency, [second(0.3, 0.3)]), 'other processes took 30 %')
  t.match(excuseFor(rate, [second(0.05, 0.3, 0.2), null]), 'other processes took 25 %')
})

t.test('a full machine excuses a latency, and nothing else', async (t) => {
  t.match(excuseFor(latency, [second(0.02, 0.93), second(0, 0.95)]), '95 % busy')
  t.equal(excuseFor(rate, [second(0.02, 0.93)]), null)
  t.equal(excuseFor({ unit: 's', comparison: 'at most' }, [second(0.02, 0.93)]), null)
})
