// YAML to canonical JSON text, with numbers as they were written: JavaScript's own would lose `1.0`.

import { Composer, type CST, type Document, isAlias, isMap, isScalar, isSeq, LineCounter, Parser } from 'yaml'
import { arrayOf, type Json, jsonNull, maxDepth, objectOf, quote, toJson } from './json.ts'
import { writeFloat, writeNumber } from './json-number.ts'

/** Text that is not YAML, or that JSON cannot hold. */
export class YamlError extends Error {
  readonly line: number

  constructor(problem: string, line: number) {
    super(`${problem} at line ${line}`)
    this.name = 'YamlError'
    this.line = line
  }
}

/** Values a document may unfold to: aliases of aliases grow without bound. */
const maxNodes = 1_000_000

/** @throws YamlError */
export function yamlToJson(text: string): Json {
  const lines = new LineCounter()
  const document = parseYaml(text, lines)
  return nodeToJson(document.contents, document, lines)
}

/** Reads YAML so that `nodeToJson` loses nothing. @throws YamlError */
export function parseYaml(text: string, lines: LineCounter): Document.Parsed {
  const tokens = [...new Parser(lines.addNewLine).parse(text)]
  // What comes next recurses.
  const place = tooDeep(tokens)
  if (place !== null) throw new YamlError('recursion limit exceeded', lines.linePos(place).line)
  const composer = new Composer({
    lineCounter: lines,
    prettyErrors: false,
    intAsBigInt: true,
    logLevel: 'error',
  })
  const [document, second] = [...composer.compose(tokens, true, text.length)] as Document.Parsed[]
  if (document === undefined) throw new YamlError('there is no document', 1)
  if (second !== undefined) {
    throw new YamlError('there is more than one document', lines.linePos(second.range[0]).line)
  }
  const [problem] = document.errors
  if (problem !== undefined) throw new YamlError(problem.message, lines.linePos(problem.pos[0]).line)
  return document
}

/** Where the tokens go deeper than JSON may; null where they do not. */
function tooDeep(tokens: readonly CST.Token[]): number | null {
  const stack: [CST.Token, number][] = tokens.map((token) => [token, 0])
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const [token, depth] = next
    if (depth > maxDepth) return token.offset
    if (token.type === 'document') {
      if (token.value !== undefined) stack.push([token.value, depth])
    } else if ('items' in token) {
      for (const { key, value } of token.items) {
        if (key != null) stack.push([key, depth + 1])
        if (value !== undefined) stack.push([value, depth + 1])
      }
    }
  }
  return null
}

/** A node of `document` as JSON. @throws YamlError */
export function nodeToJson(root: unknown, document: Document, lines: LineCounter): Json {
  let nodes = 0
  const lineOf = (node: unknown): number => {
    const range = (node as { range?: readonly number[] | null } | null)?.range
    return range?.[0] === undefined ? 1 : lines.linePos(range[0]).line
  }
  const write = (node: unknown, depth: number): Json => {
    if (++nodes > maxNodes) throw new YamlError('the document unfolds to too many values', lineOf(node))
    if (depth > maxDepth) throw new YamlError('recursion limit exceeded', lineOf(node))
    if (isAlias(node)) return write(node.resolve(document), depth)
    if (isMap(node)) {
      return objectOf(node.items.map((pair) => [keyOf(pair.key, lineOf), write(pair.value, depth + 1)]))
    }
    if (isSeq(node)) return arrayOf(node.items.map((item) => write(item, depth + 1)))
    if (isScalar(node)) return writeScalar(node.value, node.source)
    return jsonNull
  }
  return write(root, 0)
}

function keyOf(key: unknown, lineOf: (node: unknown) => number): string {
  if (isScalar(key)) return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
  throw new YamlError('a key must be a scalar', lineOf(key))
}

function writeScalar(value: unknown, source: string | undefined): Json {
  if (typeof value === 'bigint') return (writeNumber(String(value)) ?? 'null') as Json
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return jsonNull
    const written = source !== undefined && /^-?\d+\.\d+$/.test(source) ? writeNumber(source) : null
    return (written ?? writeFloat(value)) as Json
  }
  return typeof value === 'string' ? quote(value) : toJson(value ?? null)
}
