// Where a pod's log and history are in the cluster's directory, and reading them.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GauntletError } from '../../../contracts/errors.ts'

export interface PodFiles {
  readonly logFile: string
  readonly historyFile: string
}

export function podFiles(directory: string, podName: string): PodFiles {
  return {
    logFile: join(directory, 'logs', `${podName}.log`),
    historyFile: join(directory, 'history', `${podName}.ndjson`),
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
 * Text of the file so far; empty where the program has not begun it.
 * @throws GauntletError ERR_CLUSTER
 */
export async function readPodFile(directory: string, podName: string, kind: keyof PodFiles): Promise<string> {
  const file = podFiles(directory, podName)[kind]
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw new GauntletError('ERR_CLUSTER', `cannot read ${file}`, { cause: error })
  }
}
