// A pod process for the stream benchmark: each POST opens a stream with an event a second. Prints its port.

import { createServer, type Socket } from 'node:net'

const head =
  'HTTP/1.1 200 OK\r\nstepflow-instance-id: stream-pod\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
const event = 'data: {"jsonrpc":"2.0","method":"progress","params":{"done":1}}\n\n'
const chunk = Buffer.from(`${event.length.toString(16)}\r\n${event}\r\n`)
const health = '{"status":"healthy","instanceId":"stream-pod"}'
/** Streams by the tenth of a second in which they have their event. */
const slots: Set<Socket>[] = Array.from({ length: 10 }, () => new Set())
let opened = 0

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {})
  let text = ''
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1')
    if (!text.includes('\r\n\r\n')) return
    if (text.startsWith('GET ')) {
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${health.length}\r\nconnection: close\r\n\r\n${health}`)
      return
    }
    text = ''
    const slot = slots[opened++ % slots.length]!
    slot.add(socket)
    socket.on('close', () => slot.delete(socket))
    socket.write(head)
  })
})
let turn = 0
setInterval(() => {
  for (const socket of slots[turn++ % slots.length]!) socket.write(chunk)
}, 100)
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  const at = server.address()
  process.stdout.write(`${JSON.stringify({ port: at !== null && typeof at === 'object' ? at.port : 0 })}\n`)
})
