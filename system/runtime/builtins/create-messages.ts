// create_messages: a chat's messages from instructions and a prompt.

import { Type } from '@sinclair/typebox'
import { nullable, oneOf } from '../../wire/json-shape.ts'
import { defineBuiltin, succeed } from './builtin.ts'

export const messageSchema = Type.Object(
  {
    role: oneOf(['system', 'user', 'assistant'], { expecting: 'string or map' }),
    content: Type.String(),
  },
  { title: 'ChatMessage' },
)

export const createMessages = defineBuiltin({
  name: '/create_messages',
  description: 'Create a chat message list from system instructions and user prompt',
  input: Type.Object(
    {
      system_instructions: Type.Optional(nullable(Type.String())),
      user_prompt: Type.String(),
    },
    { title: 'CreateMessagesInput' },
  ),
  output: Type.Object({ messages: Type.Array(messageSchema) }, { title: 'CreateMessagesOutput' }),
  run(fields) {
    const instructions = fields.get('system_instructions')
    const system =
      instructions === undefined || instructions === 'null'
        ? ''
        : `{"role":"system","content":${instructions}},`
    return succeed(`{"messages":[${system}{"role":"user","content":${fields.get('user_prompt')}}]}`)
  },
})
