// Runs the test files named in TEST_FILES (a line each) in one process, one after the other: most of a small test
// file's time is the start of Node and tap. Prints TAP like each of them.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'

// Whoever counts the results is gone, by whatever signal: the tests end, and with them all that they started.
process.once('disconnect', () => process.kill(-process.pid, 'SIGTERM'))
process.channel?.unref()

t.setTimeout(600_000)
for (const file of (process.env['TEST_FILES'] ?? '').split('\n')) {
  await import(pathToFileURL(resolve(file)).href)
}
