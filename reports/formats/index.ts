// The files of a report: a format is one file in this folder and one line here.

import type { Results } from '../../contracts/results.ts'
import { renderHtml } from './html.ts'
import { renderJson } from './json.ts'
import { renderJunit } from './junit.ts'
import { renderMarkdown } from './markdown.ts'

/** By the name of the file it makes. */
export const formats = {
  'results.json': renderJson,
  'index.html': renderHtml,
  'junit.xml': renderJunit,
  'summary.md': renderMarkdown,
} as const satisfies Record<string, (results: Results) => string>

export type FormatFile = keyof typeof formats
