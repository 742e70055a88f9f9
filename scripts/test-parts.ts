// The parts of the test suite, in order, each with its budget in seconds and how it is run.

export interface TestPart {
  readonly name: string
  /** Glob patterns of its test files; with `grouped`, those of one pattern run in one process. */
  readonly files: readonly string[]
  /** Unit tests share a process; tests of whole programs have one each. */
  readonly grouped: boolean
  /** Seconds it may take on two cores; more is reported, and fails under REQUIRE=budget. */
  readonly budgetSeconds: number
  /** Only with --full. */
  readonly full: boolean
  /** Only by its name, `--part=NAME`: it needs what few machines have, or takes too long. */
  readonly alone?: boolean
  /** Whether it deploys into a cluster: what was not there before is taken away. */
  readonly deploys?: boolean
  /** Processes at a time: 1 where measurements would disturb each other, 3 where some wait for timers on two cores. */
  readonly jobs: number
}

/** The whole of `npm test` stays under 120 s, of `npm run test:full` under 30 minutes. */
export const testParts: readonly TestPart[] = [
  {
    name: 'unit',
    files: [
      'system/balancer/**/*.test.ts',
      'system/{component-server,program,runtime,wire}/**/*.test.ts',
      'harness/**/*.test.ts',
      '{contracts,chaos,images,reports,scripts,bench,test/unit,test/defects}/**/*.test.ts',
    ],
    grouped: true,
    budgetSeconds: 40,
    full: false,
    jobs: 3,
  },
  {
    name: 'e2e',
    // The longest first, so that none is left over at the end.
    files: ['test/e2e/scenario-*.test.ts', 'test/e2e/**/*.test.ts'],
    grouped: false,
    budgetSeconds: 80,
    full: false,
    jobs: 3,
  },
  {
    name: 'full',
    files: ['test/full/**/*.test.ts'],
    grouped: false,
    budgetSeconds: 900,
    full: true,
    jobs: 1,
  },
  {
    name: 'kubernetes',
    files: ['test/{kubernetes,manifests}/**/*.test.ts'],
    grouped: false,
    budgetSeconds: 1_500,
    full: true,
    alone: true,
    deploys: true,
    jobs: 1,
  },
  {
    name: 'interop',
    files: ['test/interop/*.test.ts'],
    grouped: false,
    budgetSeconds: 180,
    full: true,
    jobs: 1,
  },
]
