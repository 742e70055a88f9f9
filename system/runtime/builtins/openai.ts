// openai: one chat completion of any service that speaks OpenAI's API.

import { Type } from '@sinclair/typebox'
import { outgoing } from '../../program/outgoing.ts'
import { Gatherer } from '../../wire/gather.ts'
import { fromJson, type Json, quote } from '../../wire/json.ts'
import { nullable } from '../../wire/json-shape.ts'
import { BuiltinError, defineBuiltin, type Fields, succeed } from './builtin.ts'
import { messageSchema } from './create-messages.ts'

/** Model where OPENAI_MODEL names none: the one that Stepflow asks for. */
const defaultModel = 'gpt-3.5-turbo'
const defaultBaseUrl = 'https://api.openai.com/v1'
/** Milliseconds an answer may take where the route has no deadline, bytes of it, and characters an error shows. */
const defaultTimeoutMs = 120_000
const maxAnswerBytes = 16 * 1024 * 1024
const shownChars = 200

export const openai = defineBuiltin({
  name: '/openai',
  description: "Send messages to OpenAI's chat completion API and get a response",
  input: Type.Object(
    {
      messages: Type.Array(messageSchema),
      max_tokens: Type.Optional(nullable(Type.Integer({ minimum: 0, expecting: 'u32' }))),
      temperature: Type.Optional(nullable(Type.Number())),
      api_key: Type.Optional(nullable(Type.String({ description: 'Default: OPENAI_API_KEY' }))),
    },
    { title: 'OpenAIInput' },
  ),
  output: Type.Object({ response: Type.String() }, { title: 'OpenAIOutput' }),
  async run(fields, call, { env }) {
    const key = textOf(fields, 'api_key') ?? env['OPENAI_API_KEY']
    if (key === undefined || key === '') {
      throw new BuiltinError(['missing value ("api_key") or environment variable ("OPENAI_API_KEY")'])
    }
    const base = (env['OPENAI_BASE_URL'] ?? defaultBaseUrl).replace(/\/+$/, '')
    const cancelled = new AbortController()
    call.onCancel(() => cancelled.abort())
    const signal =
      call.timeouts.stepMs === undefined
        ? AbortSignal.any([cancelled.signal, AbortSignal.timeout(defaultTimeoutMs)])
        : cancelled.signal
    const response = await ask(`${base}/chat/completions`, key, requestOf(fields, env), signal)
    return succeed(`{"response":${quote(response)}}`)
  },
})

function textOf(fields: Fields, name: string): string | undefined {
  const json = fields.get(name)
  return json === undefined || json === 'null' ? undefined : (fromJson(json) as string)
}

function requestOf(fields: Fields, env: Readonly<Record<string, string | undefined>>): string {
  const given = (name: string): string => {
    const value: Json | undefined = fields.get(name)
    return value === undefined || value === 'null' ? '' : `,"${name}":${value}`
  }
  const model = quote(env['OPENAI_MODEL'] ?? defaultModel)
  return `{"model":${model},"messages":${fields.get('messages')}${given('max_tokens')}${given('temperature')}}`
}

async function ask(url: string, key: string, body: string, signal: AbortSignal): Promise<string> {
  let status: number
  let text: string
  try {
    outgoing.before?.()
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body,
      signal,
    })
    status = answer.status
    text = await textOfAnswer(answer)
  } catch (error) {
    if (error instanceof BuiltinError) throw error
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
    throw new BuiltinError(['internal error', `cannot reach ${url}: ${String(error)}${cause}`])
  }
  if (status !== 200) {
    throw new BuiltinError(['internal error', `HTTP status ${status}: ${text.slice(0, shownChars)}`])
  }
  const content = contentOf(text)
  if (content === null)
    throw new BuiltinError(['internal error', `no content in ${text.slice(0, shownChars)}`])
  return content
}

/** @throws BuiltinError where it is too long */
async function textOfAnswer({ body }: Response): Promise<string> {
  const gatherer = new Gatherer()
  for await (const chunk of body ?? []) {
    if (gatherer.length + chunk.length > maxAnswerBytes) {
      throw new BuiltinError(['internal error', `answer longer than ${maxAnswerBytes} bytes`])
    }
    gatherer.add(chunk)
  }
  return gatherer.take().toString()
}

function contentOf(text: string): string | null {
  try {
    const { choices } = JSON.parse(text) as { choices?: { message?: { content?: unknown } }[] }
    const content = choices?.[0]?.message?.content
    return typeof content === 'string' ? content : null
  } catch {
    return null
  }
}
