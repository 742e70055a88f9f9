// Tables: one that scrolls sideways in its own box, one whose rows become cards on a narrow screen.

import { type Html, type HtmlValue, html } from './html.ts'

export interface Column {
  readonly title: string
  /** Figures stand right, so that digits line up. */
  readonly figure?: boolean
}

/** A table of figures with a caption; scrolls sideways within itself where it is wider than the page. */
export function dataTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly HtmlValue[])[],
  { wrapped = false } = {},
): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table class="data${wrapped && ' wrapped'}">
<caption>${caption}</caption>
<thead><tr>${columns.map(({ title, figure }) => html`<th scope="col"${figure === true && html` class="figure"`}>${title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, index) => dataCell(cell, index, columns[index]))}</tr>\n`)}</tbody>
</table></div>`
}

function dataCell(cell: HtmlValue, index: number, column: Column | undefined): Html {
  if (index === 0) return html`<th scope="row">${cell}</th>`
  return html`<td${column?.figure === true && html` class="figure"`}>${cell}</td>`
}

/** A table whose rows become cards on a narrow screen. Roles are named, since the new layout would drop them. */
export function cardTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly { readonly cells: readonly HtmlValue[]; readonly mark?: string }[],
): Html {
  return html`<table class="cards" role="table">
<caption class="hidden">${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ title, figure }) => html`<th role="columnheader" scope="col"${figure === true && html` class="figure"`}>${title}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map(
    ({ cells, mark }) =>
      html`<tr role="row"${mark !== undefined && html` class="${mark}"`}>${cells.map((cell, index) => {
        const { title = '', figure } = columns[index] ?? {}
        return html`<td role="cell" data-title="${title}"${figure === true && html` class="figure"`}>${cell}</td>`
      })}</tr>\n`,
  )}</tbody>
</table>`
}
