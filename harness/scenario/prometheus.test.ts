import t from 'tap'
import { readGauge, sumOf } from './prometheus.ts'

const text = [
  '# HELP runs_in_flight Runs',
  '# TYPE runs_in_flight gauge',
  'runs_in_flight 3',
  'calls_total{component="/a"} 2',
  'calls_total{component="/b"} 5',
  'calls_total_more 9',
].join('\n')

t.test('sums a metric over its labels and takes no other for it', async (t) => {
  t.equal(sumOf(text, 'runs_in_flight'), 3)
  t.equal(sumOf(text, 'calls_total'), 7)
  t.equal(sumOf(text, 'nothing'), null)
})

t.test('a pod that does not answer has no figure', async (t) => {
  t.equal(await readGauge('http://127.0.0.1:1', 'runs_in_flight'), null)
})
