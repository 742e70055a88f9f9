// The agent: a sidecar of every pod that hands out its history and sends signals to its program.
//
//   processes.ts  which processes are the program's, and what state they are in
//   tail.ts       the history file from an offset on, as it grows
//   server.ts     both over HTTP, for who holds the token
//
// It shares the pod's process namespace, so that it needs no rights but its own user's, and it ends after the program
// (a native sidecar), so that a dying pod's last records still come out. Imports nothing but Node: it starts fast.

import { startAgentServer } from './server.ts'

const help = `Usage: node harness/cluster/kubernetes/agent/main.ts

Settings, by environment variable:
  AGENT_ADDRESS  host:port to listen on [default 127.0.0.1:9500]
  AGENT_TOKEN    What a request's Authorization: Bearer must hold; required
  HISTORY_FILE   The program's history; required
`

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  process.stdout.write(help)
} else {
  const { AGENT_ADDRESS = '127.0.0.1:9500', AGENT_TOKEN = '', HISTORY_FILE = '' } = process.env
  const [, host, port] = /^\[?([^[\]]+)\]?:(\d{1,5})$/.exec(AGENT_ADDRESS) ?? []
  if (host === undefined || AGENT_TOKEN === '' || HISTORY_FILE === '') {
    process.stderr.write(
      `AGENT_ADDRESS must be host:port, AGENT_TOKEN and HISTORY_FILE must be set\n\n${help}`,
    )
    process.exitCode = 2
  } else {
    const server = await startAgentServer({
      host,
      port: Number(port),
      token: AGENT_TOKEN,
      historyFile: HISTORY_FILE,
    })
    process.stdout.write(`${JSON.stringify({ program: 'agent', event: 'listening', port: server.port })}\n`)
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.close())
  }
}
