import t from 'tap'
import { GauntletErrors } from '../../contracts/errors.ts'
import { formatDuration, parseDuration, parseScenarioOptions, scenarioHelp } from './options.ts'

const limits = { leastDurationMs: 1_000, takesFlow: true }

t.test('every option has a default, and the seed is drawn', async (t) => {
  const options = parseScenarioOptions([], limits)
  t.match(options, {
    cluster: 'local',
    durationMs: null,
    out: 'reports/out',
    json: false,
    flow: null,
    targets: null,
  })
  t.ok(options !== 'help' && Number.isInteger(options.seed))
})

t.test('reads every option', async (t) => {
  const words =
    '--cluster kubernetes --duration 1.5s --seed 7 --out x --json --flow f --inputs i --expect e --targets t --components c'
  t.strictSame(parseScenarioOptions(words.split(' '), limits), {
    ...{ cluster: 'kubernetes', durationMs: 1_500, seed: 7, out: 'x', json: true },
    ...{ flow: 'f', inputs: 'i', expect: 'e', targets: 't', components: 'c' },
  })
  t.equal(parseScenarioOptions(['-h'], limits), 'help')
})

t.test('names every problem at once', async (t) => {
  const words = [
    '--cluster',
    'mars',
    '--duration',
    '10',
    '--seed',
    '1.5',
    '--bogus',
    'stray',
    '--expect',
    'e',
  ]
  try {
    parseScenarioOptions(words, limits)
    t.fail('took them')
  } catch (error) {
    t.ok(error instanceof GauntletErrors)
    t.strictSame(error instanceof GauntletErrors && error.problems.map(({ code, field }) => [code, field]), [
      ['ERR_FLAG_UNKNOWN', '--bogus'],
      ['ERR_FLAG_UNKNOWN', 'stray'],
      ['ERR_FLAG_VALUE', '--cluster'],
      ['ERR_FLAG_VALUE', '--duration'],
      ['ERR_FLAG_VALUE', '--seed'],
      ['ERR_FLAG_VALUE', '--expect'],
    ])
  }
})

t.test('refuses what a scenario cannot judge', async (t) => {
  t.throws(() => parseScenarioOptions(['--duration', '500ms'], limits), /at least 1000ms/)
  t.throws(() => parseScenarioOptions(['--flow', 'f'], { ...limits, takesFlow: false }), /its own workload/)
  t.throws(() => parseScenarioOptions(['--seed', '99999999999'], limits), /0 to 4294967295/)
  t.throws(() => parseScenarioOptions(['--out'], limits), /has no value/)
})

t.test('durations are read and written alike', async (t) => {
  for (const [text, ms] of [
    ['8s', 8_000],
    ['1500ms', 1_500],
    ['2m', 120_000],
    ['1h', 3_600_000],
  ] as const) {
    t.equal(parseDuration(text), ms)
    t.equal(parseDuration(formatDuration(ms)), ms)
  }
  for (const text of ['8', 's', '-1s', '1e3s', '1 s', '']) t.equal(parseDuration(text), null, text)
})

t.test('help names options, default and exit codes', async (t) => {
  const help = scenarioHelp('npx zx x.mjs', 'Proves it.', '8s')
  for (const text of ['--targets FILE', 'Default duration: 8s', '143', 'npx zx x.mjs [options]'])
    t.match(help, text)
})
