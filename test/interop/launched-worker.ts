// A component server that a runtime launches: it tells its arguments, and writes down the calls that it refuses.

import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (text: string) => {
    body += text
  })
  request.on('end', () => {
    const { id, method, params } = request.method === 'POST' ? JSON.parse(body) : {}
    if (method === 'initialized') {
      response.writeHead(202).end('""')
      return
    }
    const result =
      method === 'initialize' ? { server_protocol_version: 1 } : { output: process.argv.slice(2) }
    const isRefused = params?.component === '/refuse'
    if (isRefused) appendFileSync('calls', 'x')
    const answer = isRefused ? { error: { code: -32000, message: 'no' } } : { result }
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
  })
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`{"port": ${(server.address() as AddressInfo).port}}\n`)
})
