// Writes a report's folder: whole or not at all, with `latest` pointing to it.

import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Results } from '../contracts/results.ts'
import { type FormatFile, formats } from './formats/index.ts'
import { problemsOfResults } from './formats/json.ts'
import { raise } from './judge/problems.ts'

export interface WriteOptions {
  /** Folder that gets the report's folder; made where it is missing. */
  readonly outDirectory: string
}

/** Where a report stands; all absolute paths. */
export interface WrittenReport {
  readonly directory: string
  readonly html: string
  readonly json: string
  readonly junit: string
  readonly markdown: string
  /** The link to `directory`. */
  readonly latest: string
}

/**
 * Writes `<outDirectory>/<time>-<suite>/` with index.html, results.json, junit.xml and summary.md, and
 * points `<outDirectory>/latest` to it. Everything is written under a temporary name first, so whoever
 * watches the folder sees a whole report or none. Of two reports of one second the later gets `-2`.
 * @throws GauntletErrors ERR_RESULTS where the results do not match their schema; results.json is written
 *   even then, so that nothing measured is lost
 */
export async function writeReport(results: Results, options: WriteOptions): Promise<WrittenReport> {
  const out = resolve(options.outDirectory)
  await mkdir(out, { recursive: true })
  const temporary = await mkdtemp(join(out, '.writing-'))
  // mkdtemp makes it for its owner only; a report is for whoever may read the folder around it.
  await chmod(temporary, 0o755)
  try {
    // What stands in the file is what is judged by the schema: JSON turns NaN to null and drops undefined.
    const text = formats['results.json'](results)
    const read = JSON.parse(text) as Results
    const problems = problemsOfResults(read)
    await writeFile(join(temporary, 'results.json'), text)
    if (problems.length === 0) await writeFormats(read, temporary)
    const directory = await moveInto(out, temporary, folderName(read))
    await pointLatest(out, basename(directory))
    raise(problems)
    return paths(directory, out)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/**
 * Writes the other files of a report from its results into a folder, over those that are there.
 * @returns their paths
 */
export async function writeFormats(results: Results, directory: string): Promise<readonly string[]> {
  const files = (Object.keys(formats) as FormatFile[]).filter((file) => file !== 'results.json')
  await Promise.all(files.map((file) => writeFile(join(directory, file), formats[file](results))))
  return files.map((file) => join(directory, file))
}

/** `20260131-142501-load`: sorts by time, safe in a path and a shell. */
export function folderName(results: Pick<Results, 'startedAt' | 'suite'>): string {
  const date = new Date(results.startedAt)
  const time = Number.isNaN(date.getTime())
    ? '00000000-000000'
    : date
        .toISOString()
        .replace(/[-:]|\..*$/g, '')
        .replace('T', '-')
  const suite = results.suite.replace(/[^a-zA-Z0-9_-]+/g, '-').replace(/^-+|-+$/g, '')
  return `${time}-${suite === '' ? 'suite' : suite.slice(0, 60)}`
}

async function moveInto(out: string, temporary: string, name: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const directory = join(out, number === 1 ? name : `${name}-${number}`)
    try {
      // Fails on a folder that is there and not empty, so no report ever replaces another.
      await rename(temporary, directory)
      return directory
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if ((code !== 'ENOTEMPTY' && code !== 'EEXIST') || number === 1_000) throw error
    }
  }
}

async function pointLatest(out: string, name: string): Promise<void> {
  const link = join(out, `.latest-${process.pid}-${name}`)
  await rm(link, { force: true })
  await symlink(name, link)
  try {
    await rename(link, join(out, 'latest'))
  } catch (error) {
    await rm(link, { force: true })
    throw error
  }
}

function paths(directory: string, out: string): WrittenReport {
  return {
    directory,
    html: join(directory, 'index.html'),
    json: join(directory, 'results.json'),
    junit: join(directory, 'junit.xml'),
    markdown: join(directory, 'summary.md'),
    latest: join(out, 'latest'),
  }
}
