// `node reports/page/stories.ts <folder>`: writes every story as a page, to look at while working on the page.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { affinityStories } from './affinity.story.ts'
import { pageStories } from './page.story.ts'
import { type Stories, storyPage } from './story.ts'
import { timelineStories } from './timeline.story.ts'
import { verdictStories } from './verdict.story.ts'

/** By the part of the page they show. */
const parts: Readonly<Record<string, Stories>> = {
  affinity: affinityStories,
  page: pageStories,
  timeline: timelineStories,
  verdict: verdictStories,
}

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  process.stderr.write('Usage: node reports/page/stories.ts <folder>\n')
  process.exitCode = 2
} else {
  await mkdir(folder, { recursive: true })
  for (const [part, stories] of Object.entries(parts)) {
    for (const [name, story] of Object.entries(stories)) {
      const file = join(folder, `${part}-${name.replaceAll(' ', '-')}.html`)
      await writeFile(file, storyPage(`${part}, ${name}`, story))
      process.stdout.write(`${file}\n`)
    }
  }
}
