// load_file: a JSON, YAML or text file below the working directory.

import { open, realpath, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { Type } from '@sinclair/typebox'
import { anyValue } from '../../wire/flow-schema.ts'
import { type Json, JsonSyntaxError, parseJson, quote, unquote } from '../../wire/json.ts'
import { nullable, oneOf } from '../../wire/json-shape.ts'
import { YamlError, yamlToJson } from '../../wire/json-yaml.ts'
import { BuiltinError, defineBuiltin, succeed } from './builtin.ts'

const formats = ['json', 'yaml', 'text'] as const
type Format = (typeof formats)[number]

/** Bytes a file may have. */
const maxFileBytes = 16 * 1024 * 1024

export const loadFile = defineBuiltin({
  name: '/load_file',
  description: 'Load and parse a file (JSON, YAML, or text) from the filesystem',
  input: Type.Object(
    { path: Type.String(), format: Type.Optional(nullable(oneOf(formats, { expecting: 'string or map' }))) },
    { title: 'LoadFileInput' },
  ),
  output: Type.Object(
    {
      data: anyValue,
      metadata: Type.Object({
        resolved_path: Type.String(),
        size_bytes: Type.Integer(),
        format: oneOf(formats),
      }),
    },
    { title: 'LoadFileOutput' },
  ),
  async run(fields, _call, { root }) {
    const path = unquote(fields.get('path') as Json)
    const given = fields.get('format')
    const format = given === undefined || given === 'null' ? formatOf(path) : (unquote(given) as Format)
    const { text, bytes } = await readBelow(root, path)
    const where = path.startsWith('/') ? path : join(root, '.').concat(sep, path)
    const metadata = `{"resolved_path":${quote(where)},"size_bytes":${bytes},"format":"${format}"}`
    return succeed(`{"data":${parseAs(format, text)},"metadata":${metadata}}`)
  },
})

function formatOf(path: string): Format {
  if (/\.json$/i.test(path)) return 'json'
  return /\.ya?ml$/i.test(path) ? 'yaml' : 'text'
}

/** Reads a file that lies below `root` also when its links are followed. */
async function readBelow(root: string, path: string): Promise<{ text: string; bytes: number }> {
  try {
    const base = await realpath(root)
    const real = await realpath(resolve(base, path))
    if (real !== base && !real.startsWith(base.endsWith(sep) ? base : base + sep)) {
      throw new BuiltinError(['invalid input', 'path is outside of the working directory'])
    }
    // Opening a pipe would wait for whoever writes to it.
    const found = await stat(real)
    if (!found.isFile() && !found.isDirectory()) throw new BuiltinError(['invalid input', 'not a file'])
    const file = await open(real)
    try {
      const { size } = await file.stat()
      if (size > maxFileBytes) {
        throw new BuiltinError(['invalid input', `file has more than ${maxFileBytes} bytes`])
      }
      const buffer = await file.readFile()
      return { text: buffer.toString(), bytes: buffer.length }
    } finally {
      await file.close()
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') throw new BuiltinError(['invalid input'])
    if (code === 'EISDIR') throw new BuiltinError(['invalid input', 'Is a directory (os error 21)'])
    if (code === 'EACCES') throw new BuiltinError(['invalid input', 'Permission denied (os error 13)'])
    throw error
  }
}

function parseAs(format: Format, text: string): Json {
  if (format === 'text') return quote(text)
  try {
    return format === 'json' ? parseJson(text) : yamlToJson(text)
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      throw new BuiltinError([
        'invalid input',
        `${error.problem} at line ${error.line} column ${error.column}`,
      ])
    }
    if (error instanceof YamlError) throw new BuiltinError(['invalid input', error.message])
    throw error
  }
}
