// The observability flags: their variables, and which of them need another.

import t from 'tap'
import { parseFlags } from './flags.ts'
import { readTelemetry, telemetryFlags } from './telemetry.ts'

const read = (args: readonly string[], env = {}) => {
  const flags = parseFlags(telemetryFlags, args, env)
  if (flags === 'help') throw new Error('help')
  return readTelemetry('runtime', 'stepflow-server', flags)
}

t.test('sends nothing unless asked to', async (t) => {
  t.match(read([]), { log: { destination: 'stdout', level: 'info' }, trace: null, metricsTo: null })
  t.same(read(['--trace-enabled']).trace, { collector: null }, 'spans can go into the log')
})

t.test('takes the variables of the original', async (t) => {
  const endpoint = 'http://127.0.0.1:4318'
  const env = {
    STEPFLOW_LOG_LEVEL: 'warn',
    STEPFLOW_OTHER_LOG_LEVEL: 'debug',
    STEPFLOW_LOG_DESTINATION: 'otlp',
    STEPFLOW_TRACE_ENABLED: 'true',
    STEPFLOW_METRICS_ENABLED: '1',
    STEPFLOW_OTLP_ENDPOINT: endpoint,
  }
  const collector = { endpoint, service: 'stepflow-server' }
  t.match(read([], env), {
    log: { program: 'runtime', level: 'warn', destination: 'otlp', collector },
    trace: { collector },
    metricsTo: collector,
  })
})

t.test('names everything that needs a collector and has none', async (t) => {
  try {
    read(['--metrics-enabled', '--log-destination', 'otlp'])
    t.fail('took them')
  } catch (error) {
    t.match(error, {
      problems: [
        { code: 'ERR_FLAG_VALUE', field: '--metrics-enabled' },
        { code: 'ERR_FLAG_VALUE', field: '--log-destination' },
      ],
    })
  }
  t.throws(() => read(['--otlp-endpoint', '127.0.0.1:4317']), {
    code: 'ERR_FLAG_VALUE',
    field: '--otlp-endpoint',
  })
})
