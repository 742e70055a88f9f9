// The load engines by name: one folder and one line each.

import type { LoadEngine } from '../../../contracts/load.ts'
import { createEmbeddedEngine } from './embedded/index.ts'

export const engines: Partial<Record<LoadEngine['kind'], () => Promise<LoadEngine>>> = {
  embedded: createEmbeddedEngine,
}
