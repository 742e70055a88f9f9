// A story: one part of the page in one state, to look at while working on it and to test in a browser.

import type { Results } from '../../contracts/results.ts'
import { renderPage } from '../formats/html.ts'
import type { Html } from './html.ts'

export interface Story {
  /** The results that the page's script finds. */
  readonly results: Results
  readonly body: Html
}

/** By name, as a file may be named. */
export type Stories = Readonly<Record<string, Story>>

/** The story as a page of its own, with the style, scripts and policy of a report. */
export function storyPage(name: string, { results, body }: Story): string {
  return renderPage(`story: ${name}`, body, results)
}
