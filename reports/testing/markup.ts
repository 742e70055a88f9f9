// A strict look at markup, for tests: every element closed, every entity known, nothing bare.

const voidElements = new Set(['meta', 'link', 'br', 'hr', 'img', 'input', 'rect', 'circle', 'path'])
const rawElements = new Set(['script', 'style'])
const illegal =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

/** What is wrong with a text as XML, or as HTML that closes what it opens; empty: nothing. */
export function markupProblems(text: string, language: 'xml' | 'html'): readonly string[] {
  const problems: string[] = []
  const open: string[] = []
  const character = illegal.exec(text)
  if (character !== null) problems.push(`character ${character[0].charCodeAt(0).toString(16)} is not allowed`)
  let at = 0
  while (at < text.length && problems.length < 10) {
    const next = text.indexOf('<', at)
    problems.push(...badText(text.slice(at, next === -1 ? text.length : next)))
    if (next === -1) break
    const rest = text.slice(next)
    const special = /^(?:<\?[^?]*\?>|<!doctype html>|<!\[CDATA\[[\s\S]*?\]\]>)/i.exec(rest)
    const tag = /^<(\/?)([A-Za-z][\w:-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/.exec(rest)
    const found = special ?? tag
    if (found === null) {
      problems.push(`no element: ${rest.slice(0, 60)}`)
      break
    }
    at = next + found[0].length
    if (special !== null || tag === null) continue
    const [, close, name = '', attributes = '', empty] = tag
    problems.push(...badEntity(attributes), ...repeated(attributes))
    if (close === '/') {
      const expected = open.pop()
      if (expected !== name) problems.push(`</${name}> closes <${expected}>`)
    } else if (empty !== '/' && !(language === 'html' && voidElements.has(name))) {
      open.push(name)
      if (language === 'html' && rawElements.has(name)) {
        at = text.indexOf(`</${name}>`, at)
        if (at === -1) at = text.length
      }
    }
  }
  return [...problems, ...open.map((name) => `<${name}> is not closed`)]
}

function badText(text: string): readonly string[] {
  const bad = text.indexOf(']]>')
  return bad === -1 ? badEntity(text) : [`end of CDATA in text: ${text.slice(bad, bad + 40)}`]
}

function badEntity(text: string): readonly string[] {
  const bad = /&(?!(?:amp|lt|gt|quot|#39|#\d+|#x[\da-fA-F]+|apos);)/.exec(text)
  return bad === null ? [] : [`bare text: ${text.slice(bad.index, bad.index + 40)}`]
}

function repeated(attributes: string): readonly string[] {
  const names = [...attributes.matchAll(/([\w:-]+)="/g)].map(([, name]) => name)
  return new Set(names).size === names.length ? [] : [`an attribute twice: ${attributes}`]
}
