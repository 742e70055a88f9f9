// Memory of a balancer for each open stream: the slope of its resident memory between two numbers of streams.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { GauntletError } from '../../contracts/errors.ts'
import { end, loadCore, type PeerKind } from './peers.ts'
import { median, residentBytes } from './proc.ts'

export interface StreamResult {
  readonly name: string
  readonly few: number
  /** Streams that were open at the end, of those asked for. */
  readonly open: number
  readonly wanted: number
  readonly lost: number
  readonly bytesPerStream: number
  readonly fewBytes: number
  readonly manyBytes: number
}

/** Memory settles after the streams have opened: events flow for so long before it is read, ms. */
const settleMs = 6_000

/** @throws GauntletError ERR_ENVIRONMENT where a process does not do what it should */
export async function measureStreams(
  kind: PeerKind,
  few: number,
  many: number,
  folder: string,
): Promise<StreamResult> {
  // A pod has as many ports to be reached by as there are addresses of a balancer: two of them halve the load.
  const pods = [startChild('streams-pod.ts', []), startChild('streams-pod.ts', [])]
  try {
    const ports: number[] = []
    for (const pod of pods) ports.push((await pod.next<{ port: number }>()).port)
    const peer = await kind.start({ ports }, folder)
    const client = startChild('streams-load.ts', [String(peer.port)])
    try {
      // Ours sends nothing to a pod that has not answered a health check.
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      const at = async (count: number): Promise<{ open: number; lost: number; bytes: number }> => {
        client.say(String(count))
        await client.next()
        const readings: number[] = []
        for (let reading = 0; reading < 5; reading++) {
          await new Promise((resolve) => setTimeout(resolve, settleMs / 5))
          readings.push(residentBytes(peer.pids()))
        }
        client.say(String(count))
        const { open, lost } = await client.next<{ open: number; lost: number }>()
        return { open, lost, bytes: median(readings.slice(2)) }
      }
      const first = await at(few)
      const second = await at(many)
      return {
        name: kind.name,
        few: first.open,
        open: second.open,
        wanted: many,
        lost: second.lost,
        fewBytes: first.bytes,
        manyBytes: second.bytes,
        bytesPerStream: (second.bytes - first.bytes) / (second.open - first.open),
      }
    } finally {
      await client.stop()
      await peer.stop()
    }
  } finally {
    for (const pod of pods) await pod.stop()
  }
}

function startChild(file: string, args: readonly string[]) {
  const command = ['-c', String(loadCore), process.execPath, join(import.meta.dirname, file), ...args]
  const child = spawn('taskset', command, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    say: (text: string) => child.stdin.write(`${text}\n`),
    async next<T>(): Promise<T> {
      const { value, done } = await lines.next()
      if (done === true) throw new GauntletError('ERR_ENVIRONMENT', 'ended early', { field: file })
      return JSON.parse(value as string) as T
    },
    stop: () => end(child),
  }
}
