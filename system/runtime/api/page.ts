// The API's description as a page to read: one HTML text without scripts, fonts or links to elsewhere.

/** The parts of OpenAPI 3.1 that the description has. */
export interface Description {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string }
  readonly servers: readonly { readonly url: string }[]
  /** By path, then by method. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

export interface Operation {
  readonly tags: readonly string[]
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}

export interface Parameter {
  readonly name: string
  readonly in: string
  readonly required: boolean
  readonly schema: Schema
}

export type Content = Readonly<Record<string, { readonly schema: Schema }>>

export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly format?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly patternProperties?: Readonly<Record<string, Schema>>
}

export function writePage(description: Description): string {
  const { info, servers, paths, components } = description
  const base = servers[0]?.url ?? ''
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))]
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag))
    return `<section><h2>${escapeHtml(tag)}</h2>${own.map((one) => writeOperation(one, base)).join('\n')}</section>`
  })
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<article id="schema-${escapeHtml(name)}"><h3>${escapeHtml(name)}</h3>${writeSchema(schema)}</article>`,
  )
  const links = operations.map(
    ({ method, path, operation }) =>
      `<li><a href="#${escapeHtml(operation.operationId)}">${badge(method)} ${escapeHtml(path)}</a></li>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)} ${escapeHtml(info.version)}</title><style>${style}</style></head>
<body><nav><ul>${links.join('')}<li><a href="#schemas">Schemas</a></li></ul></nav>
<main><h1>${escapeHtml(info.title)} <small>${escapeHtml(info.version)}</small></h1>
<p>Base: <code>${escapeHtml(base)}</code>. The same for machines: <a href="/api/v1/openapi.json">openapi.json</a>.</p>
${sections.join('\n')}
<section id="schemas"><h2>Schemas</h2>${schemas.join('\n')}</section></main></body></html>`
}

function writeOperation(
  { path, method, operation }: { path: string; method: string; operation: Operation },
  base: string,
): string {
  const { operationId, summary, parameters = [], requestBody, responses } = operation
  const rows = parameters.map(
    ({ name, in: place, required, schema }) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${place}${required ? ', required' : ''}</td><td>${writeType(schema)}</td></tr>`,
  )
  const body = requestBody?.content['application/json']?.schema
  const answers = Object.entries(responses).map(([status, { description, content }]) => {
    const schema = content?.['application/json']?.schema
    return `<tr><td><code>${status}</code></td><td>${schema === undefined ? escapeHtml(description) : writeType(schema)}</td></tr>`
  })
  const curl = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}${base}${path}`,
    ...(body === undefined ? [] : ["-H 'content-type: application/json'", '-d @body.json']),
  ].join(' \\\n  ')
  return `<article id="${escapeHtml(operationId)}"><h3>${badge(method)} <code>${escapeHtml(path)}</code></h3>
<p>${escapeHtml(summary).replace(/`([^`]*)`/g, '<code>$1</code>')}</p>
${rows.length === 0 ? '' : `<h4>Parameters</h4><table>${rows.join('')}</table>`}
${body === undefined ? '' : `<h4>Body</h4><p>${writeType(body)}</p>`}
<h4>Answers</h4><table>${answers.join('')}</table>
<pre>${escapeHtml(curl)}</pre></article>`
}

function badge(method: string): string {
  return `<b class="${method}">${method}</b>`
}

/** A schema with its fields. */
function writeSchema(schema: Schema): string {
  const about = schema.description ? `<p>${escapeHtml(schema.description)}</p>` : ''
  if (schema.properties === undefined) return `${about}<p>${writeType({ ...schema, description: '' })}</p>`
  const required = new Set(schema.required)
  const rows = Object.entries(schema.properties).map(
    ([name, inner]) =>
      `<tr><td><code>${escapeHtml(name)}</code>${required.has(name) ? '' : ' <small>optional</small>'}</td><td>${writeType(inner)}</td></tr>`,
  )
  return `${about}<table>${rows.join('')}</table>`
}

/** A schema in a line: its type, limits and description; named ones as links. */
function writeType(schema: Schema): string {
  const limits = [
    schema.format,
    schema.minimum === undefined ? undefined : `at least ${schema.minimum}`,
    schema.default === undefined ? undefined : `default ${JSON.stringify(schema.default)}`,
  ].filter((text) => text !== undefined)
  const about = schema.description ? `: ${escapeHtml(schema.description)}` : ''
  return `${writeKind(schema)}${limits.length === 0 ? '' : ` (${escapeHtml(limits.join(', '))})`}${about}`
}

function writeKind(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
    return `<a href="#schema-${escapeHtml(name)}">${escapeHtml(name)}</a>`
  }
  if (schema.anyOf !== undefined) return schema.anyOf.map(writeType).join(' or ')
  if (schema.const !== undefined) return `<code>${escapeHtml(JSON.stringify(schema.const))}</code>`
  if (schema.enum !== undefined) {
    return schema.enum.map((one) => `<code>${escapeHtml(JSON.stringify(one))}</code>`).join(' or ')
  }
  if (schema.items !== undefined) return `array of ${writeType(schema.items)}`
  const [values] = Object.values(schema.patternProperties ?? {})
  if (values !== undefined) return `object of ${writeType(values)}`
  if (schema.properties !== undefined) return `object ${writeSchema({ ...schema, description: '' })}`
  return schema.type ?? 'any'
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`)
}

const style = `
:root{color-scheme:light dark;--line:light-dark(#d8dee6,#3a424d);--soft:light-dark(#f4f6f9,#1c222a);--link:light-dark(#0b5cad,#7cb8ff)}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;display:grid;grid-template-columns:19rem minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow:auto;border-right:1px solid var(--line);background:var(--soft);padding:1rem}
nav ul{list-style:none;margin:0;padding:0}nav li{margin:.35rem 0;font-size:.85rem}
main{max-width:60rem;padding:1rem 2rem 4rem}a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
h1 small{font-weight:400;opacity:.7}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}h3{margin:0}h4{margin:1rem 0 .3rem}
article{border:1px solid var(--line);border-radius:8px;padding:1rem 1.25rem;margin:1rem 0;scroll-margin-top:1rem}
article:target{outline:2px solid var(--link)}
b.GET,b.POST,b.DELETE{display:inline-block;min-width:4.2em;text-align:center;border-radius:4px;color:#fff;font:600 .75rem/1.6 system-ui;padding:0 .4em}
b.GET{background:#1a6b3c}b.POST{background:#0b5cad}b.DELETE{background:#a32020}
table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:.35rem .6rem .35rem 0;vertical-align:top}
code,pre{font:.9em/1.45 ui-monospace,monospace}pre{background:var(--soft);border-radius:6px;padding:.75rem;overflow:auto}
@media(max-width:50rem){body{display:block}nav{position:static;height:auto}}
`
