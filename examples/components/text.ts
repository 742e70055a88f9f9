// split and shout: components without context, which is the fastest way to answer a call.

import { ComponentError, component, Type } from '../../system/component-server/sdk.ts'

export const split = component({
  name: 'split',
  description: 'The words of a text and their lengths',
  input: Type.Object({ text: Type.String() }),
  output: Type.Object({ words: Type.Array(Type.String()), lengths: Type.Array(Type.Integer()) }),
  run({ text }) {
    const words = text.split(/\s+/).filter((word) => word !== '')
    // A code of one's own; any other error answers -32003.
    if (words.length === 0)
      throw new ComponentError('text: has no words', { code: -32005, data: { field: 'text' } })
    return { words, lengths: words.map((word) => word.length) }
  },
})

export const shout = component({
  name: 'shout',
  description: 'Says it louder',
  input: Type.Object({ text: Type.String() }),
  output: Type.Object({ result: Type.String() }),
  run: ({ text }) => ({ result: `${text.toUpperCase()}!` }),
})
