// HTML as a template: every value is escaped unless it is HTML already, so no text can become markup.

/** Markup that is safe to write out. Made by `html` and `raw` only. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What a template takes; false, null and undefined write nothing. */
export type HtmlValue = Html | string | number | false | null | undefined | readonly HtmlValue[]

/** @example html`<p title="${hostile}">${count} runs</p>` */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.reduce((text, part, index) => text + written(values[index - 1]) + part))
}

/** Markup as it stands: of this project's own files only. */
export function raw(text: string): Html {
  return new Html(text)
}

function written(value: HtmlValue): string {
  if (value === false || value === null || value === undefined) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(written).join('')
  return escapeHtml(String(value))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * Text for an element or a quoted attribute. Control characters, and those that turn the direction of
 * writing (they let a text read as another), become U+FFFD.
 */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"']/g, (one) => entities[one] ?? '')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g, '\ufffd')
}

/**
 * JSON for a script element: nothing in it can end the element, open a comment, or be a line end to a
 * JavaScript parser.
 */
export function scriptJson(value: unknown): Html {
  const escaped = JSON.stringify(value).replace(
    /[<>&\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufffe\uffff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return new Html(escaped)
}
