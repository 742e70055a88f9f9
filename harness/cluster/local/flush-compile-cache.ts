// Preloaded into a pod: writes the compile cache soon after the start; costs nothing when it is whole.

import { flushCompileCache } from 'node:module'

/** ms after the start: soon, for a pod may be killed at any time; again, for a slow machine still loads then. */
for (const afterMs of [500, 1_000, 2_000, 4_000]) setTimeout(flushCompileCache, afterMs).unref()
