// The agent: a sidecar of every pod that hands out its history and sends signals to its program.
//
//   processes.ts  which processes are the program's, and what state they are in
//   tail.ts       the history file from an offset on, as it grows
//   link.ts       the fault-injecting proxy in front of the program, where the deployment has one
//   server.ts     all of it over HTTP, for who holds the token
//
// It shares the pod's process namespace, so that it needs no rights but its own user's, and it ends after the program
// (a native sidecar), so that a dying pod's last records still come out. Imports no package: it starts fast.

import { startLink } from './link.ts'
import { startAgentServer } from './server.ts'

const help = `Usage: node harness/cluster/kubernetes/agent/main.ts

Settings, by environment variable:
  AGENT_ADDRESS  host:port to listen on [default 127.0.0.1:9500]
  AGENT_TOKEN    What a request's Authorization: Bearer must hold; required
  HISTORY_FILE   The program's history; required
  LINK_ADDRESS   host:port of the proxy in front of the program, which then listens at
  LINK_UPSTREAM  this host:port [default no proxy]
`

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  process.stdout.write(help)
} else {
  const { AGENT_ADDRESS = '127.0.0.1:9500', AGENT_TOKEN = '', HISTORY_FILE = '' } = process.env
  const { LINK_ADDRESS, LINK_UPSTREAM } = process.env
  const at = endpointOf(AGENT_ADDRESS)
  const [listen, upstream] = [endpointOf(LINK_ADDRESS ?? ''), endpointOf(LINK_UPSTREAM ?? '')]
  const halfALink = (LINK_ADDRESS ?? LINK_UPSTREAM) !== undefined && (listen === null || upstream === null)
  if (at === null || halfALink || AGENT_TOKEN === '' || HISTORY_FILE === '') {
    process.stderr.write(
      `AGENT_ADDRESS, and LINK_ADDRESS with LINK_UPSTREAM if any, must be host:port;` +
        ` AGENT_TOKEN and HISTORY_FILE must be set\n\n${help}`,
    )
    process.exitCode = 2
  } else {
    const link = listen === null || upstream === null ? null : startLink({ listen, upstream })
    const server = await startAgentServer({
      host: at.address,
      port: at.port,
      token: AGENT_TOKEN,
      historyFile: HISTORY_FILE,
      ...(link === null ? {} : { link }),
    })
    process.stdout.write(`${JSON.stringify({ program: 'agent', event: 'listening', port: server.port })}\n`)
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => void server.close().then(() => link?.close()))
  }
}

function endpointOf(text: string): { readonly address: string; readonly port: number } | null {
  const [, address, port] = /^\[?([^[\]]+)\]?:(\d{1,5})$/.exec(text) ?? []
  return address === undefined ? null : { address, port: Number(port) }
}
