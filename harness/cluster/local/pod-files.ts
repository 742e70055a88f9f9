// Where a pod's log and history are in the cluster's directory, and reading them.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GauntletError } from '../../../contracts/errors.ts'
import { waitingAfter } from '../../../contracts/history-buffer.ts'

export interface PodFiles {
  readonly logFile: string
  readonly historyFile: string
  /** Where records wait in mapped memory. */
  readonly historyBuffer: string
}

export function podFiles(directory: string, podName: string): PodFiles {
  return {
    logFile: join(directory, 'logs', `${podName}.log`),
    historyFile: join(directory, 'history', `${podName}.ndjson`),
    historyBuffer: join(directory, 'history', `${podName}.buffer`),
  }
}

export function scratchDirectory(directory: string): string {
  return join(directory, 'scratch')
}

/** The pod's TMPDIR. */
export function temporaryFolder(directory: string, podName: string): string {
  return join(directory, 'tmp', podName)
}

/**
 * Text of the log so far; empty where the program has not begun it.
 * @throws GauntletError ERR_CLUSTER
 */
export async function readLog(directory: string, podName: string): Promise<string> {
  const bytes = await readIfThere(podFiles(directory, podName).logFile)
  return bytes?.toString() ?? ''
}

/**
 * Text of the history so far, with the records that wait; empty where the program has not begun it.
 * @throws GauntletError ERR_CLUSTER
 */
export async function readHistory(directory: string, podName: string): Promise<string> {
  const { historyFile, historyBuffer } = podFiles(directory, podName)
  // In this order: what has left the buffer meanwhile is in the history then.
  const buffer = await readIfThere(historyBuffer)
  const history = await readIfThere(historyFile)
  const waiting = buffer === null ? '' : Buffer.from(waitingAfter(history?.length ?? 0, buffer)).toString()
  return (history?.toString() ?? '') + waiting
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new GauntletError('ERR_CLUSTER', `cannot read ${file}`, { cause: error })
  }
}
