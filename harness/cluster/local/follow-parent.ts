// Preloaded into a pod where the platform has no parent-death signal: ends it when the node agent is gone.

import { Socket } from 'node:net'

// The agent holds the other end of this pipe and never writes.
const pipe = new Socket({ fd: 0, readable: true, writable: false })
const end = (): void => void process.kill(process.pid, 'SIGKILL')
pipe.on('end', end).on('error', end)
pipe.resume()
pipe.unref()
