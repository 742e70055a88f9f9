// What the harness's thread and the generator's thread say to each other; `load` tells side-by-side loads apart.

import type { LoadProgress, LoadResult } from '../../../../contracts/load.ts'
import type { LoadPlan } from '../../options.ts'

export type ToGenerator =
  | { readonly kind: 'run'; readonly load: number; readonly plan: LoadPlan; readonly flowId: string }
  /** Ends the arrivals; what is open is still awaited. */
  | { readonly kind: 'stop'; readonly load: number }
  /** Ends the arrivals and what is open. */
  | { readonly kind: 'interrupt'; readonly load: number }
  | { readonly kind: 'close' }

export type FromGenerator =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly load: number; readonly progress: LoadProgress }
  | { readonly kind: 'done'; readonly load: number; readonly result: LoadResult }
  | { readonly kind: 'broken'; readonly load: number; readonly stack: string }
