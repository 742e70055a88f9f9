// Tests of the queue: first in, first out, also past the point where its array is shortened.

import t from 'tap'
import { Queue } from './queue.ts'

t.test('gives items in the order they came', async (t) => {
  const queue = new Queue<number>()
  t.equal(queue.shift(), undefined)
  let next = 0
  for (let item = 0; item < 10_000; item++) {
    queue.push(item)
    if (item % 3 === 0 && queue.shift() !== next++) t.fail(`wrong at ${next}`)
  }
  t.equal(queue.size, 10_000 - next)
  t.equal(queue.peek(), next)
  while (queue.size > 0) if (queue.shift() !== next++) t.fail(`wrong at ${next}`)
  t.equal(next, 10_000)
  queue.push(5)
  t.equal(queue.shift(), 5)
})
