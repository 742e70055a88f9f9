// Collects the histories of pods, client and harness; what was read before is not parsed again.

import { readFile } from 'node:fs/promises'
import type { Cluster } from '../../contracts/cluster.ts'
import type {
  ChaosEvent,
  History,
  PodHealth,
  PodState,
  PodUsage,
  WindowStarted,
  WitnessedRecord,
} from '../../contracts/history.ts'
import { mergeHistory } from './merge.ts'
import { type Author, parseHistory } from './parse.ts'

/** What the harness itself records. */
export type HarnessRecord = ChaosEvent | PodState | WindowStarted | PodUsage | PodHealth

export interface HistorySources {
  readonly cluster: Pick<Cluster, 'allPods' | 'history'>
  /** Files that load engines wrote; a file that is not there yet is empty. */
  readonly clientFiles: readonly string[]
  readonly harness: readonly HarnessRecord[]
}

export interface HistoryCollector {
  /**
   * Reads what is there now and returns the whole history since boot.
   * @throws GauntletError ERR_HISTORY with file and line
   */
  collect(sources: HistorySources): Promise<History>
}

/** What is known of one file: all its records, and how far it was read. */
interface ReadFile {
  readonly records: WitnessedRecord[]
  characters: number
  lines: number
  author: Author | undefined
}

export function createHistoryCollector(): HistoryCollector {
  const files = new Map<string, ReadFile>()

  function read(file: string, text: string): readonly WitnessedRecord[] {
    let known = files.get(file)
    if (known === undefined) {
      known = { records: [], characters: 0, lines: 0, author: undefined }
      files.set(file, known)
    }
    const parsed = parseHistory(text.slice(known.characters), {
      file,
      linesBefore: known.lines,
      ...(known.author === undefined ? {} : { author: known.author }),
    })
    for (const record of parsed.records) known.records.push(record)
    known.characters += parsed.characters
    known.lines += parsed.lines
    known.author = parsed.author
    return known.records
  }

  return {
    async collect({ cluster, clientFiles, harness }) {
      const pods = await Promise.all(
        (await cluster.allPods()).map(async ({ name }) => read(name, await cluster.history(name))),
      )
      const clients = await Promise.all(clientFiles.map(async (file) => read(file, await textOf(file))))
      const own = harness.map((record): WitnessedRecord => ({ ...witnessOf(record), ...record }))
      return mergeHistory([own, ...clients, ...pods])
    },
  }
}

/** The pod of a harness record is the one it is about, where there is one. */
function witnessOf(record: HarnessRecord): { readonly witness: 'harness'; readonly pod: string } {
  return { witness: 'harness', pod: ('pod' in record && record.pod) || 'harness' }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
