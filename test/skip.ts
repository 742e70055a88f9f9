// Skips of tests that need what a machine may lack: said with the reason, and refused where REQUIRE names them.

/**
 * What tap's `skip` option takes.
 * @param name what the test needs, as REQUIRE names it: `REQUIRE=old-node,chromium npm test`
 * @param reason why it cannot run here; null: it can
 * @throws Error where REQUIRE names it and it cannot run
 */
export function skipUnless(name: string, reason: string | null): string | false {
  if (reason === null) return false
  const required = (process.env['REQUIRE'] ?? '').split(',')
  if (required.includes(name)) throw new Error(`REQUIRE=${name}: ${reason}`)
  return `${reason} (REQUIRE=${name} makes this a failure)`
}
