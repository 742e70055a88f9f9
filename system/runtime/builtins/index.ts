// The registry of built-in components: one file each, one line here.

import type { Builtin } from './builtin.ts'
import { getBlob } from './get-blob.ts'
import { putBlob } from './put-blob.ts'

export const builtins: readonly Builtin[] = [getBlob, putBlob]
