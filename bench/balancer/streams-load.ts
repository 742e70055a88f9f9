// A client process for the stream benchmark: opens streams on command and reads them. Talks over stdin and stdout.
//
// Argument: port. Input lines: a number of streams to have open. Output lines: {"open","events","refused"}.

import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

const port = Number(process.argv[2])
const body = '{"jsonrpc":"2.0","id":1,"method":"components/execute","params":{}}'
const request = `POST / HTTP/1.1\r\nhost: pods\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
const sockets = new Set<Socket>()
/** Opened at a time, so that no backlog overflows. */
const batch = 100
let open = 0
let events = 0
let refused = 0
let lost = 0

function openOne(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let started = false
    sockets.add(socket)
    socket.once('connect', () => socket.write(request))
    socket.on('data', (bytes) => {
      if (!started) {
        started = true
        if (bytes.toString('latin1', 0, 12) === 'HTTP/1.1 200') open++
        else refused++
        resolve()
      } else events++
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      if (!started) {
        refused++
        resolve()
      } else lost++
    })
  })
}

for await (const line of createInterface({ input: process.stdin })) {
  const wanted = Number(line)
  while (open + refused < wanted) {
    await Promise.all(Array.from({ length: Math.min(batch, wanted - open - refused) }, openOne))
  }
  process.stdout.write(`${JSON.stringify({ open, events, refused, lost })}\n`)
}
process.exit(0)
