// Starts a trial in a process of its own and waits for its outcome; a hog runs beside it where asked.

import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { exitCodes } from '../../contracts/exit-codes.ts'
import { makeTemporaryFolder } from '../../harness/temporary-folder.ts'
import { defectArgs, defects } from '../defects/index.ts'
import { ledgerFile, openLedger, type TrialEntry, type TrialKey } from './ledger.ts'
import type { TrialOutcome, TrialRequest } from './run-trial.ts'

const root = join(import.meta.dirname, '../..')

/** Milliseconds after which a trial has hung: several times what the slowest takes. */
const hungAfterMs = 240_000

/** Runs trials, each once for its key. */
export function createTrials(file: string = ledgerFile): {
  run(
    key: TrialKey & { readonly defect: keyof typeof defects | null },
  ): Promise<TrialEntry & { readonly known: boolean }>
} {
  const ledger = openLedger(file)
  return {
    async run(key) {
      const found = ledger.find(key)
      if (found !== undefined) return { ...found, known: true }
      const at = new Date().toISOString()
      const outcome = await runTrial(key)
      const entry: TrialEntry = { ...key, at, ...outcome }
      // One that was interrupted proves nothing, and is run again.
      if (outcome.code < exitCodes.interrupted) ledger.add(entry)
      return { ...entry, known: false }
    },
  }
}

async function runTrial(
  key: TrialKey & { readonly defect: keyof typeof defects | null },
): Promise<TrialOutcome> {
  const folder = makeTemporaryFolder()
  const hog = key.beside === 'hog' ? startHog() : null
  const startedAt = performance.now()
  try {
    const request: TrialRequest = {
      scenarios: key.scenarios,
      seed: key.seed,
      durationMs: key.durationMs,
      defect: key.defect,
      out: join(folder, 'out'),
      resultFile: join(folder, 'outcome.json'),
    }
    const own = key.defect !== null && defects[key.defect].role === 'harness' ? defectArgs(key.defect) : []
    const child = spawn(
      process.execPath,
      [...own, join(import.meta.dirname, 'run-trial.ts'), JSON.stringify(request)],
      { cwd: root, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    )
    const { code, words } = await endOf(child)
    try {
      return JSON.parse(await readFile(request.resultFile, 'utf8')) as TrialOutcome
    } catch {
      return {
        ...{ verdict: 'ERROR', code, unknown: [], othersShare: null },
        failed: [{ scenario: 'trial', name: 'harness', reason: words.slice(-500) }],
        seconds: (performance.now() - startedAt) / 1000,
      }
    }
  } finally {
    hog?.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}

function endOf(child: ChildProcess): Promise<{ readonly code: number; readonly words: string }> {
  let words = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-4_000)
  })
  // It stops its system by itself when it is told to; the second signal would leave that to the system's own watch.
  const timer = setTimeout(() => child.kill('SIGTERM'), hungAfterMs)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? exitCodes.harness, words })
    })
  })
}

/** Keeps one core busy until it is killed, or its parent is gone. */
function startHog(): ChildProcess {
  const program =
    'const parent = process.ppid; for (let n = 1; ; n++) if (n % 1e8 === 0 && process.ppid !== parent) process.exit()'
  return spawn(process.execPath, ['-e', program], { stdio: 'ignore' })
}
