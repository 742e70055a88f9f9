// Plants a defect in the program that is about to start: `node --import <this file>?defect=<name> main.ts`;
// with `&part=also` what another program must do for it to come out.
//
// The change happens as the program loads the file, so the product has no flag for it. If it cannot be made,
// the program does not start.

import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Change, type Defect, plantIn } from './defect.ts'

const { searchParams } = new URL(import.meta.url)
const name = searchParams.get('defect') ?? ''

/** Ends the program at once: without its defect it would be a trial of something else. */
function giveUp(problem: string): never {
  process.stderr.write(`defect ${name} cannot be planted: ${problem}\n`)
  process.exit(1)
}

async function load(): Promise<Change> {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) giveUp('its name is no name of a file here')
  try {
    const { defect } = (await import(`./${name}.ts`)) as { defect: Defect }
    return searchParams.get('part') === 'also' ? (defect.also ?? giveUp('it has no other part')) : defect
  } catch (error) {
    return giveUp(String(error))
  }
}

const defect = await load()
const path = join(import.meta.dirname, '../..', defect.file)
const { href } = pathToFileURL(path)

function plant(): string {
  try {
    return plantIn(readFileSync(path, 'utf8'), defect)
  } catch (error) {
    return giveUp(error instanceof Error ? error.message : String(error))
  }
}

const planted = plant()

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (url !== href) return loaded
    process.stderr.write(`defect ${name} planted in ${defect.file}\n`)
    return { ...loaded, source: planted }
  },
})
