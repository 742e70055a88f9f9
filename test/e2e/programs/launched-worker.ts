// A component server for the tests of launched plugins: prints its port, tells its environment, dies when asked. With a
// file as third argument it may also die for good: that it shall not start again is written there.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const memory = process.argv[4]
const order = memory !== undefined && existsSync(memory) ? readFileSync(memory, 'utf8') : ''
if (order === 'end') process.exit(7)

const server = createServer((request, response) => {
  if (request.url === '/up') {
    response.end()
    return
  }
  let body = ''
  request.setEncoding('utf8').on('data', (text: string) => {
    body += text
  })
  request.on('end', () => {
    const { id, method, params } = JSON.parse(body)
    if (id === undefined) {
      response.writeHead(202).end('""')
      return
    }
    if (params.component === '/die') {
      if (memory !== undefined) writeFileSync(memory, params.input)
      process.exit(3)
    }
    const facts = {
      // Node itself hands NODE_V8_COVERAGE on to every child.
      env: Object.keys(process.env)
        .filter((name) => name !== 'NODE_V8_COVERAGE')
        .sort(),
      args: process.argv.slice(2),
      value: process.env['VALUE'],
    }
    const output = { ...facts, pid: process.pid, attempt: params.attempt }
    const result = method === 'initialize' ? { server_protocol_version: 1 } : { output }
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  })
})
server.listen(0, '127.0.0.1', () => {
  if (order === 'be silent') return
  process.stdout.write('some other line\n')
  process.stdout.write(`{"port": ${(server.address() as AddressInfo).port}}\n`)
})
