// A tiny stand-in for any of the three programs: the flags, environment, ports and probes, and no more.
//
// GET /hold answers the head at once and the rest when the program is told to stop; others get the pod's name.
// FAKE_EXIT=<code>: exit at start. FAKE_CRASH=<ms>: be ready, then exit with 1. FAKE_NOT_READY=1: never ready.

import { appendFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'

const { env } = process
const flag = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? undefined : process.argv[at + 1]
}
const split = (address: string): [port: number, host: string] => {
  const at = address.lastIndexOf(':')
  return [Number(address.slice(at + 1)), address.slice(0, at)]
}

console.log(JSON.stringify({ event: 'starting', pod: env['POD_NAME'], argv: process.argv.slice(2), env }))
if (env['FAKE_EXIT'] !== undefined) {
  console.error('error: told to exit at start')
  process.exit(Number(env['FAKE_EXIT']))
}
const record = (fields: object): void => appendFileSync(env['HISTORY_FILE']!, `${JSON.stringify(fields)}\n`)
record({ kind: 'process.started', pod: env['POD_NAME'], pid: process.pid })

let stopping = false
const held = new Set<ServerResponse>()
const main = createServer((request, response) => {
  if (request.url === '/hold') {
    held.add(response)
    response.on('close', () => held.delete(response))
    response.writeHead(200, { 'x-pod': env['POD_NAME'] }).write('held\n')
    return
  }
  response.writeHead(200, { 'x-pod': env['POD_NAME'] }).end(`${env['POD_NAME']}\n`)
})
const admin = createServer((request, response) => {
  const ready = !stopping && env['FAKE_NOT_READY'] === undefined
  response.writeHead(request.url === '/readyz' && !ready ? 503 : 200).end('no reason\n')
})
main.listen(...split(env['BIND_ADDRESS'] ?? `${flag('host')}:${flag('port')}`))
admin.listen(...split(env['ADMIN_ADDRESS'] ?? flag('admin-address')!))
if (env['FAKE_CRASH'] !== undefined) setTimeout(() => process.exit(1), Number(env['FAKE_CRASH']))

process.on('SIGTERM', () => {
  stopping = true
  record({ kind: 'process.stopping', reason: 'SIGTERM' })
  for (const response of held) response.end('done\n')
  main.close(() => process.exit(0))
})
