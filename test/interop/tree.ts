// JSON as a tree that keeps what the wire keeps: the order of keys, and numbers as they are spelled.
//
// Not the system's own reader: a judge who shares the parser shares its bugs.

export type Tree =
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, Tree])[] }
  | { readonly kind: 'array'; readonly items: readonly Tree[] }
  | { readonly kind: 'string'; readonly text: string }
  /** A number, a boolean or null, as spelled. */
  | { readonly kind: 'word'; readonly text: string }

/** The tree of a JSON text; undefined where it is none. */
export function readTree(text: string): Tree | undefined {
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g) ?? []
  let at = 0
  const value = (): Tree => {
    const token = tokens[at++] as string
    if (token === '{') {
      const members: [string, Tree][] = []
      while (tokens[at] !== '}') {
        const key = JSON.parse(tokens[at++] as string) as string
        at++
        members.push([key, value()])
        if (tokens[at] === ',') at++
      }
      at++
      return { kind: 'object', members }
    }
    if (token === '[') {
      const items: Tree[] = []
      while (tokens[at] !== ']') {
        items.push(value())
        if (tokens[at] === ',') at++
      }
      at++
      return { kind: 'array', items }
    }
    if (token.startsWith('"')) return { kind: 'string', text: JSON.parse(token) as string }
    return { kind: 'word', text: token }
  }
  return value()
}

/** Compact JSON; a string as it is, without its quotes. */
export function writeTree(tree: Tree): string {
  return tree.kind === 'string' ? tree.text : write(tree)
}

function write(tree: Tree): string {
  switch (tree.kind) {
    case 'object':
      return `{${tree.members.map(([key, value]) => `${JSON.stringify(key)}:${write(value)}`).join(',')}}`
    case 'array':
      return `[${tree.items.map(write).join(',')}]`
    case 'string':
      return JSON.stringify(tree.text)
    case 'word':
      return tree.text
  }
}

/** Every string of a tree, keys among them, put through `change`, in their order. */
export function mapStrings(tree: Tree, change: (text: string) => string): Tree {
  switch (tree.kind) {
    case 'object':
      return {
        kind: 'object',
        members: tree.members.map(([key, value]) => [change(key), mapStrings(value, change)]),
      }
    case 'array':
      return { kind: 'array', items: tree.items.map((item) => mapStrings(item, change)) }
    case 'string':
      return { kind: 'string', text: change(tree.text) }
    case 'word':
      return tree
  }
}
