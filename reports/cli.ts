// `node reports/cli.ts render|verify|schema`: makes a report again, or recomputes its verdict, offline.

import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { GauntletError } from '../contracts/errors.ts'
import { type ExitCode, exitCodeMeanings, exitCodeOf, exitCodes } from '../contracts/exit-codes.ts'
import { parseResults } from './formats/json.ts'
import { ResultsSchema } from './formats/results-schema.ts'
import { renderTable } from './formats/table.ts'
import { verifyResults } from './judge/verify.ts'
import { writeFormats } from './write.ts'

const help = `Usage: node reports/cli.ts render <results.json> [folder]
       node reports/cli.ts verify <results.json>
       node reports/cli.ts schema

render  makes index.html, junit.xml and summary.md again from a results.json,
        beside it or in the folder named; exit code 0
verify  recomputes the verdict from the figures in the file, needing nothing
        else, and lists what does not agree; the exit code is the verdict's,
        at best that of INVALID where something does not agree
schema  prints the JSON schema of results.json

Exit codes of verify:
  0  ${exitCodeMeanings.pass}
  1  ${exitCodeMeanings.fail}
  2  ${exitCodeMeanings.usage}
  3  ${exitCodeMeanings.invalid}
`

/** Where the command writes; standard output and error in a terminal. */
export interface Streams {
  readonly out: (text: string) => void
  readonly error: (text: string) => void
  readonly colour: boolean
}

/** Runs one command; never throws for what a user can get wrong. */
export async function runReports(args: readonly string[], streams: Streams): Promise<ExitCode> {
  const [command, file, folder, ...rest] = args
  try {
    if (command === '--help' || command === '-h' || command === 'help') {
      streams.out(help)
      return exitCodes.pass
    }
    if (command === 'schema' && file === undefined) {
      streams.out(schemaText())
      return exitCodes.pass
    }
    if (command === 'render' && file !== undefined && rest.length === 0) {
      const results = parseResults(await readText(file), file)
      if (folder !== undefined) await mkdir(folder, { recursive: true })
      for (const path of await writeFormats(results, folder ?? dirname(file))) streams.out(`${path}\n`)
      return exitCodes.pass
    }
    if (command === 'verify' && file !== undefined && folder === undefined) {
      return verify(parseResults(await readText(file), file), streams)
    }
  } catch (error) {
    const known = error instanceof GauntletError || (error as NodeJS.ErrnoException).syscall !== undefined
    if (!known) throw error
    streams.error(`${(error as Error).message}\n`)
    return exitCodes.usage
  }
  streams.error(help)
  return exitCodes.usage
}

/** The text of docs/reference/results.schema.json. */
export function schemaText(): string {
  return `${JSON.stringify(ResultsSchema, null, 2)}\n`
}

function verify(results: Parameters<typeof verifyResults>[0], streams: Streams): ExitCode {
  const { verdict, disagreements } = verifyResults(results)
  streams.out(renderTable(results, { colour: streams.colour }))
  for (const line of disagreements) streams.error(`does not agree: ${line}\n`)
  const agreed =
    disagreements.length === 0 ? 'the figures give the same verdict' : 'the file does not hold together'
  streams.out(`\nverified: ${verdict}, ${agreed}\n`)
  return exitCodeOf(verdict)
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new GauntletError('ERR_CONFIG_READ', 'cannot be read', {
      field: file,
      fix: 'name a results.json',
      cause,
    })
  }
}

if (import.meta.main) {
  process.exitCode = await runReports(process.argv.slice(2), {
    out: (text) => process.stdout.write(text),
    error: (text) => process.stderr.write(text),
    colour: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
  })
}
