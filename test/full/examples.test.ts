// The examples run as their page says: the runtime launches their component server, and the flow is run by curl's requests.

import { readFile } from 'node:fs/promises'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startProgram } from '../../bench/runtime/server.ts'
import { send } from '../e2e/runtime-helpers.ts'

const file = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))

t.test('the flow of the examples gives what the page shows', async (t) => {
  const args = [
    '--port',
    '0',
    '--admin-address',
    '127.0.0.1:0',
    '--config',
    file('examples/stepflow-config.yml'),
  ]
  // Its configuration has `node`: that must be this one.
  const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  const runtime = await startProgram(process.execPath, [file('system/runtime/main.ts'), ...args], '', {
    ...process.env,
    PATH,
  })
  t.teardown(() => runtime.stop('SIGTERM'))
  const url = `http://127.0.0.1:${runtime.port}`
  const flow = await readFile(file('examples/flow.yaml'), 'utf8')
  const stored = await send(url, 'POST', '/api/v1/flows', flow, { 'content-type': 'application/yaml' })
  const { flowId } = stored.json
  const run = await send(url, 'POST', '/api/v1/runs', { flowId, input: [{ text: 'to be or not to be' }] })
  const page = await readFile(file('examples/README.md'), 'utf8')
  const shown = JSON.parse(/```text\n(.*)\n/.exec(page)?.[1] ?? '')
  t.same({ ...run.json, runId: '…' }, shown)

  const { components } = (await send(url, 'GET', '/api/v1/components')).json
  const paths = components.flatMap((one: { paths?: string[] }) => one.paths ?? [])
  for (const name of ['split', 'shout', 'mean', 'archive']) t.ok(paths.includes(`/examples/${name}`), name)
  const empty = await send(url, 'POST', '/api/v1/runs', { flowId, input: [{ text: ' ' }] })
  t.match(empty.json.result.error.data.componentError, { code: -32005, data: { field: 'text' } })
})
