// The timer wheel, turned by hand.

import t from 'tap'
import { Timed, tickMs, Wheel } from './wheel.ts'

class Alarm extends Timed {
  calls = 0
  also: () => void = () => {}
  onDeadline(): void {
    this.calls++
    this.also()
  }
}

t.test('calls at the deadline, once, not before', async (t) => {
  const wheel = new Wheel()
  const alarm = new Alarm()
  wheel.arm(alarm, 3 * tickMs)
  wheel.advance(2)
  t.equal(alarm.calls, 0)
  wheel.advance(1)
  t.equal(alarm.calls, 1)
  wheel.advance(5000)
  t.equal(alarm.calls, 1)
})

t.test('moves a deadline back and forth', async (t) => {
  const wheel = new Wheel()
  const alarm = new Alarm()
  wheel.arm(alarm, 10 * tickMs)
  wheel.arm(alarm, 20 * tickMs)
  wheel.advance(19)
  t.equal(alarm.calls, 0)
  wheel.advance(1)
  t.equal(alarm.calls, 1)
  wheel.arm(alarm, 20 * tickMs)
  wheel.arm(alarm, 2 * tickMs)
  wheel.advance(2)
  t.equal(alarm.calls, 2)
})

t.test('forgets what is disarmed or held, and takes it again', async (t) => {
  const wheel = new Wheel()
  const alarms = [new Alarm(), new Alarm(), new Alarm()]
  for (const alarm of alarms) wheel.arm(alarm, 5 * tickMs)
  wheel.disarm(alarms[1]!)
  wheel.hold(alarms[2]!)
  wheel.advance(10)
  t.same(
    alarms.map((alarm) => alarm.calls),
    [1, 0, 0],
  )
  wheel.arm(alarms[1]!, tickMs)
  wheel.arm(alarms[2]!, tickMs)
  wheel.advance(1)
  t.same(
    alarms.map((alarm) => alarm.calls),
    [1, 1, 1],
  )
})

t.test('holds deadlines further off than one turn', async (t) => {
  const wheel = new Wheel()
  const alarm = new Alarm()
  wheel.arm(alarm, 10_000 * tickMs)
  wheel.advance(9_999)
  t.equal(alarm.calls, 0)
  wheel.advance(1)
  t.equal(alarm.calls, 1)
})

t.test('lets one deadline disarm or arm others of its slot', async (t) => {
  const wheel = new Wheel()
  const alarms = [new Alarm(), new Alarm(), new Alarm()]
  for (const alarm of alarms) {
    wheel.arm(alarm, tickMs)
    alarm.also = () => {
      for (const other of alarms) if (other !== alarm) wheel.disarm(other)
    }
  }
  wheel.advance(3)
  t.equal(
    alarms.reduce((sum, alarm) => sum + alarm.calls, 0),
    1,
  )
})

t.test('catches up after a stall, calling each once', async (t) => {
  const wheel = new Wheel()
  const near = new Alarm()
  const far = new Alarm()
  wheel.arm(near, 10 * tickMs)
  wheel.arm(far, 1_000_000 * tickMs)
  wheel.advance(2048, 500_000)
  t.equal(near.calls, 1)
  t.equal(far.calls, 0)
})
