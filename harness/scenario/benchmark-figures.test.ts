import { join } from 'node:path'
import t from 'tap'
import { benchmarkFigures } from './benchmark-figures.ts'

t.test('takes the targets that benchmarks measured, and leaves out what does not say so', (t) => {
  const report = { bench: 'balancer', at: '2026-11-27T23:00:00.000Z', goals: [] }
  const figure = { measured: 27_900, at: report.at, commit: 'abc1234' }
  const folder = t.testdir({
    'bench-balancer.json': JSON.stringify({ ...report, targets: { 'balancer-rate': figure } }),
    'bench-runtime.json': JSON.stringify(report),
    'bench-old.json': '{"targets": {"balancer-rate": ',
    'bench-odd.json': JSON.stringify({
      ...report,
      targets: { 'balancer-rate': { ...figure, measured: '9' } },
    }),
    'other.json': JSON.stringify({ ...report, targets: { 'pod-rate': figure } }),
  })
  t.strictSame([...benchmarkFigures(folder)], [['balancer-rate', figure]])
  t.equal(benchmarkFigures(join(folder, 'none')).size, 0, 'no folder, no figures')
  t.end()
})
