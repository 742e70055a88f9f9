// Members of a JSON-RPC message found in as much of it as has arrived, without parsing the rest.

/** Only this much of a body is looked at. */
export const maxLookBytes = 65_536

/** `cut`: the text ends, or what is looked at of it, before this could be told. */
export type Member = { readonly kind: 'found'; readonly raw: string } | { readonly kind: 'absent' | 'cut' }

const absent: Member = { kind: 'absent' }
const cut: Member = { kind: 'cut' }

/**
 * The top-level `id` of the JSON object `text` as it stands there (a string with its quotes, or a number);
 * `null` where there is none, it is cut off, or `text` is no object. `text` may end anywhere and may be
 * latin1 of UTF-8 bytes: the id comes back the same way.
 */
export function findRequestId(text: string): string {
  const found = findTopLevel(text, 'id')
  return found !== null && isId.test(found) ? found : 'null'
}

const isId = /^(?:"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"|-?\d{1,30}(?:\.\d{1,30})?)$/

/** The raw value of a top-level member that is a string or a bare word; null where absent, cut or nested. */
export function findTopLevel(text: string, name: string): string | null {
  const member = findMember(text, [name])
  return member.kind === 'found' ? member.raw : null
}

/** The raw value at `path`, e.g. `['params', 'component']`, if it is a string or a bare word. */
export function findMember(text: string, path: readonly string[]): Member {
  const end = Math.min(text.length, maxLookBytes)
  let at = skipSpace(text, 0, end)
  if (at === end) return cut
  if (text[at] !== '{') return absent
  at++
  let depth = 1
  /** How deep the path is open: the object at `depth === open` is the one to look in. */
  let open = 1
  let expectKey = true
  while (at < end) {
    at = skipSpace(text, at, end)
    const character = text[at]
    if (character === '"') {
      const close = stringEnd(text, at, end)
      if (close === -1) return cut
      const isKey = depth === open && expectKey
      const key = isKey ? text.slice(at + 1, close - 1) : ''
      at = close
      if (!isKey) continue
      expectKey = false
      at = skipSpace(text, at, end)
      if (at === end) return cut
      if (text[at] !== ':') return absent
      at = skipSpace(text, at + 1, end)
      if (at === end) return cut
      if (key !== path[open - 1]) continue
      if (open === path.length) return scalar(text, at, end)
      if (text[at] !== '{') return absent
      at++
      depth++
      open++
      expectKey = true
      continue
    }
    if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') {
      if (--depth < open) return absent
    } else if (character === ',' && depth === open) expectKey = true
    at++
  }
  return cut
}

function scalar(text: string, at: number, end: number): Member {
  if (text[at] === '"') {
    const close = stringEnd(text, at, end)
    return close === -1 ? cut : { kind: 'found', raw: text.slice(at, close) }
  }
  let close = at
  while (close < end && /[-+.\w]/.test(text[close]!)) close++
  if (close === at) return absent
  // At the very end more digits might follow.
  return close === text.length ? cut : { kind: 'found', raw: text.slice(at, close) }
}

/** Index behind the closing quote of the string that opens at `at`; -1 where it is cut off. */
function stringEnd(text: string, at: number, end: number): number {
  for (let index = at + 1; index < end; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x5c) index++
    else if (code === 0x22) return index + 1
  }
  return -1
}

function skipSpace(text: string, at: number, end: number): number {
  while (at < end) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break
    at++
  }
  return at
}
