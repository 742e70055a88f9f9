// Preloaded into pods under NODE_V8_COVERAGE: SIGUSR2 writes the coverage so far, so that a planned kill loses none.
// Whoever kills the pod waits for the file that grows in the coverage folder.

import { takeCoverage } from 'node:v8'

process.on('SIGUSR2', () => takeCoverage())
