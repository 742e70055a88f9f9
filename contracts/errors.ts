// Errors that carry a stable code, the field, the value and the fix: one table of codes for the project.

/**
 * Every code this project throws, with its meaning. `definite` says whether the operation surely did not
 * happen; a time-out never is. docs/reference/errors.md is checked against this table.
 */
export const errorCodes = {
  ERR_FLAG_UNKNOWN: { definite: true, meaning: 'a flag that the command does not have' },
  ERR_FLAG_VALUE: { definite: true, meaning: 'a flag or environment variable with a value it cannot take' },
  ERR_CONFIG_READ: { definite: true, meaning: 'a configuration file that cannot be read' },
  ERR_CONFIG_SYNTAX: { definite: true, meaning: 'a configuration file that is not valid YAML or JSON' },
  ERR_CONFIG_FIELD: {
    definite: true,
    meaning: 'a configuration field that is missing, unknown or of the wrong type',
  },
  ERR_CONFIG_RANGE: { definite: true, meaning: 'a configuration value out of its range' },
  ERR_LISTEN: { definite: true, meaning: 'an address that cannot be listened on' },
  ERR_ENVIRONMENT: { definite: true, meaning: 'the machine lacks something this command needs' },
  ERR_TIMEOUT: { definite: false, meaning: 'no answer in time: the outcome is unknown' },
  ERR_CLUSTER: { definite: false, meaning: 'the cluster did not do what it was asked' },
  ERR_JSON_SYNTAX: { definite: true, meaning: 'text that is not JSON' },
  ERR_RPC_MESSAGE: { definite: true, meaning: 'JSON that is no JSON-RPC 2.0 message' },
  ERR_STREAM_LIMIT: { definite: true, meaning: 'an event of a stream that is longer than allowed' },
  ERR_TARGET: { definite: true, meaning: 'a target of the targets file that is missing, unknown or wrong' },
  ERR_RESULTS: { definite: true, meaning: 'results that do not match the schema of results.json' },
  ERR_FLOW_PATH: { definite: true, meaning: 'a path of a value expression that cannot be read' },
  ERR_PLUGIN: { definite: true, meaning: 'a plugin of the runtime that cannot be started' },
  ERR_COMPONENT: { definite: true, meaning: 'a component, or a file of components, that cannot be used' },
  ERR_HISTORY: { definite: true, meaning: 'a history file that cannot be read as one' },
} as const satisfies Record<string, { definite: boolean; meaning: string }>

export type ErrorCode = keyof typeof errorCodes

export interface ErrorDetails {
  /** The flag, key path or place the value stood in. */
  readonly field?: string
  /** What was found there; never a secret. */
  readonly value?: unknown
  /** What to write or do instead. */
  readonly fix?: string
  readonly cause?: unknown
}

/**
 * An error with a code to match on. Its message reads `field: problem, fix (CODE)`,
 * e.g. `--port: got 78400, use 1 to 65535 (ERR_FLAG_VALUE)`.
 */
export class GauntletError extends Error {
  readonly code: ErrorCode
  /** What is wrong, without its field, fix and code. */
  readonly problem: string
  readonly field: string | undefined
  readonly value: unknown
  readonly fix: string | undefined
  readonly definite: boolean

  constructor(code: ErrorCode, problem: string, details: ErrorDetails = {}) {
    const at = details.field === undefined ? '' : `${details.field}: `
    const fix = details.fix === undefined ? '' : `, ${details.fix}`
    super(
      `${at}${problem}${fix} (${code})`,
      details.cause === undefined ? undefined : { cause: details.cause },
    )
    this.name = 'GauntletError'
    this.code = code
    this.problem = problem
    this.field = details.field
    this.value = details.value
    this.fix = details.fix
    this.definite = errorCodes[code].definite
  }
}

/** Several problems found at once; `code` is that of the first. */
export class GauntletErrors extends GauntletError {
  readonly problems: readonly GauntletError[]

  constructor(problems: readonly [GauntletError, ...GauntletError[]]) {
    super(problems[0].code, problems.map((problem) => problem.message).join('\n'))
    this.message = problems.map((problem) => problem.message).join('\n')
    this.problems = problems
  }
}
