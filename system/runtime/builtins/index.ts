// The registry of built-in components: one file each, one line here.

import type { Builtin } from './builtin.ts'
import { createMessages } from './create-messages.ts'
import { evalFlow } from './eval.ts'
import { getBlob } from './get-blob.ts'
import { iterate } from './iterate.ts'
import { loadFile } from './load-file.ts'
import { mapItems } from './map.ts'
import { openai } from './openai.ts'
import { putBlob } from './put-blob.ts'

export const builtins: readonly Builtin[] = [
  createMessages,
  evalFlow,
  getBlob,
  iterate,
  loadFile,
  mapItems,
  openai,
  putBlob,
]
