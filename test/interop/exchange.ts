// One request and what came back, in the form in which two runtimes are compared, and how two of them differ.

import { Agent, request } from 'undici'
import { mapStrings, readTree, type Tree, writeTree } from './tree.ts'

/** What one side did. */
export interface Exchange {
  /** `POST /runs`, or what a component server saw: `components/execute`. */
  readonly method: string
  /** HTTP status; 0: none came, and the body says why. */
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Tree
}

/** A place in which two exchanges differ. */
export interface Difference {
  readonly method: string
  /** `result.error.data.step`, `header location`, or `answer` for the whole of it. */
  readonly field: string
  /** What the real one has there; null: nothing. */
  readonly real: string | null
  readonly ours: string | null
}

export interface Request {
  readonly method: string
  /** Below /api/v1, or from the root with `root`. */
  readonly path: string
  /** Bytes where it is no text. */
  readonly body?: string | Uint8Array | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly root?: boolean
}

/** ms after which the real runtime counts as hanging; ours, which must not, has longer on a busy machine. */
export const answerDeadlineMs = { real: 4_000, ours: 60_000 } as const

/** Headers that both sides must have alike. */
const comparedHeaders = [
  ...['content-type', 'location', 'allow', 'vary', 'retry-after', 'preference-applied'],
  ...['access-control-allow-origin', 'access-control-allow-methods', 'access-control-allow-headers'],
]

/** Sends requests to one runtime; `names` makes ids and times comparable over all that a case sends. */
export class Client {
  readonly #url: string
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 })

  constructor(url: string) {
    this.#url = url
  }

  /** The exchange, and its body as it came. */
  async send(
    sent: Request,
    names: Names,
    deadlineMs: number = answerDeadlineMs.ours,
  ): Promise<{ exchange: Exchange; text: string }> {
    const method = `${sent.method} ${template(sent.path)}`
    try {
      const { statusCode, headers, body } = await request(
        `${this.#url}${sent.root === true ? '' : '/api/v1'}${sent.path}`,
        {
          method: sent.method as 'GET',
          headers: {
            ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
            ...sent.headers,
          },
          body: sent.body ?? null,
          dispatcher: this.#agent,
          signal: AbortSignal.timeout(deadlineMs),
        },
      )
      const text = await body.text()
      const kept = comparedHeaders.flatMap((name): [string, string][] => {
        const value = headers[name]
        return value === undefined ? [] : [[name, names.of(String(value))]]
      })
      return {
        exchange: { method, status: statusCode, headers: new Map(kept), body: names.tree(text) },
        text,
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const isLate = error.name === 'TimeoutError'
      if (!isLate && !('code' in error && error.code === 'UND_ERR_SOCKET')) throw error
      const body: Tree = { kind: 'string', text: isLate ? 'no answer' : 'connection closed' }
      return { exchange: { method, status: 0, headers: new Map(), body }, text: '' }
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}

function template(path: string): string {
  const [plain = ''] = path.split('?')
  return plain.replace(
    /^(\/(?:runs|flows)\/)[^/]+/,
    (_, start: string) => `${start}{${start.slice(1, -2)}_id}`,
  )
}

/** Gives ids the names in whose order they come up, and times and ports one name. */
export class Names {
  readonly #ids = new Map<string, string>()

  tree(text: string): Tree {
    const tree = readTree(text)
    return tree === undefined
      ? { kind: 'string', text: this.of(text) }
      : mapStrings(tree, (part) => this.of(part))
  }

  of(text: string): string {
    return text
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(?:\d{3}){1,3})?(Z|\+00:00)/g, 'time$1')
      .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
        const known = this.#ids.get(id) ?? `id-${this.#ids.size + 1}`
        this.#ids.set(id, known)
        return known
      })
      .replace(/\/[^"' ]*\/interop-\w+/g, 'folder')
      .replace(/(127\.0\.0\.1|localhost):\d+/g, '$1:port')
  }
}

/** Status and body in one text. */
export function whole({ status, body }: Exchange): string {
  return `${status === 0 ? '' : status} ${writeTree(body)}`.trim()
}

/** Where `ours` is not as `real`. Answers of another status, or another outcome, are one difference as a whole. */
export function compare(real: Exchange, ours: Exchange): Difference[] {
  const { method } = real
  const found: Difference[] = []
  const add = (field: string, a: string | null, b: string | null): void => {
    found.push({ method, field, real: a, ours: b })
  }
  if (real.status !== ours.status) {
    add('answer', whole(real), whole(ours))
    return found
  }
  for (const name of comparedHeaders) {
    const [a, b] = [real.headers.get(name) ?? null, ours.headers.get(name) ?? null]
    const isJson = name === 'content-type' && real.body.kind === 'object'
    if (a !== b) add(`header ${name}${isJson ? ' of JSON' : ''}`, a, b)
  }
  const visit = (a: Tree, b: Tree, field: string): void => {
    if (a.kind === 'object' && b.kind === 'object' && outcomeOf(a) === outcomeOf(b)) {
      const others = new Map(b.members)
      const own = new Map(a.members)
      const at = (key: string): string => (field === '' ? key : `${field}.${key}`)
      for (const [key, value] of own) {
        const other = others.get(key)
        if (other === undefined) add(at(key), writeTree(value), null)
        else visit(value, other, at(key))
      }
      for (const [key, value] of others) if (!own.has(key)) add(at(key), null, writeTree(value))
      const order = (mine: ReadonlyMap<string, Tree>, theirs: ReadonlyMap<string, Tree>): string =>
        [...mine.keys()].filter((key) => theirs.has(key)).join(' ')
      if (order(own, others) !== order(others, own))
        add(at('(key order)'), order(own, others), order(others, own))
    } else if (a.kind === 'array' && b.kind === 'array' && a.items.length === b.items.length) {
      for (const [index, item] of a.items.entries()) visit(item, b.items[index] as Tree, `${field}[${index}]`)
    } else if (a.kind !== b.kind || writeTree(a) !== writeTree(b)) {
      add(field === '' ? 'body' : field, writeTree(a), writeTree(b))
    }
  }
  visit(real.body, ours.body, '')
  return found
}

/** FlowResults of another outcome, or of an error with another code or message, have nothing in common. */
function outcomeOf(tree: Tree & { kind: 'object' }): string {
  const [outcome, error] = [field(tree, 'outcome'), field(tree, 'error')]
  const [code, message] =
    error?.kind === 'object' ? [field(error, 'code'), field(error, 'message')] : [undefined, undefined]
  return [outcome, code, message].map((part) => (part === undefined ? '' : writeTree(part))).join(' ')
}

function field(tree: Tree & { kind: 'object' }, name: string): Tree | undefined {
  return tree.members.find(([key]) => key === name)?.[1]
}
