// What the harness's thread and the generator's thread say to each other.

import type { LoadProgress, LoadResult } from '../../../../contracts/load.ts'
import type { LoadPlan } from '../../options.ts'

export type ToGenerator =
  | { readonly kind: 'run'; readonly plan: LoadPlan; readonly flowId: string }
  | { readonly kind: 'abort' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'close' }

export type FromGenerator =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly progress: LoadProgress }
  | { readonly kind: 'done'; readonly result: LoadResult }
  | { readonly kind: 'broken'; readonly stack: string }
