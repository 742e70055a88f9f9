// Exit codes of every command and scenario: one table, used by code, help texts and docs.

/** What a process of this project says by its exit code. */
export const exitCodes = {
  pass: 0,
  fail: 1,
  usage: 2,
  invalid: 3,
  harness: 4,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** One line per code, for `--help` and the reference page. */
export const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  pass: 'PASS: every checker and threshold holds',
  fail: 'FAIL: an invariant or a threshold is broken',
  usage: 'wrong usage or environment: nothing was measured',
  invalid: 'INVALID: the measurement cannot be trusted',
  harness: 'the harness itself broke',
  hungUp: 'ended by SIGHUP; the report holds what was measured until then',
  interrupted: 'interrupted by SIGINT; the report holds what was measured until then',
  terminated: 'ended by SIGTERM; the report holds what was measured until then',
}

/** A trial's verdict. FAIL beats INVALID beats PASS. */
export type Verdict = 'PASS' | 'FAIL' | 'INVALID'

/** The exit code that says `verdict`. */
export function exitCodeOf(verdict: Verdict): ExitCode {
  return verdict === 'PASS' ? exitCodes.pass : verdict === 'FAIL' ? exitCodes.fail : exitCodes.invalid
}
