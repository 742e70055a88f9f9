// index.html: one self-contained file that opens offline.

import type { Results } from '../../contracts/results.ts'
import { renderTable } from './table.ts'

/** The text of the page. */
export function renderHtml(results: Results): string {
  const escaped = renderTable(results).replace(
    /[&<>]/g,
    (one) => ({ '&': '&amp;', '<': '&lt;' })[one] ?? '&gt;',
  )
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Report</title><pre>${escaped}</pre></html>\n`
}
