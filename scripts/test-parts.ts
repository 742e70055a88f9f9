// The parts of the test suite, in order, each with its budget in seconds and what it needs.

export interface TestPart {
  readonly name: string
  /** Glob patterns of its test files. */
  readonly files: readonly string[]
  /** Seconds it may take on two cores; more is reported, and fails under REQUIRE=budget. */
  readonly budgetSeconds: number
  /** Only with --full. */
  readonly full: boolean
  /** tap's --jobs: 1 where measurements would disturb each other. */
  readonly jobs: number
}

/** The whole of `npm test` stays under 120 s, of `npm run test:full` under 30 minutes. */
export const testParts: readonly TestPart[] = [
  {
    name: 'unit',
    files: [
      'contracts/**/*.test.ts',
      'system/**/*.test.ts',
      'chaos/**/*.test.ts',
      'reports/**/*.test.ts',
      'harness/**/*.test.ts',
      'scripts/**/*.test.ts',
      'test/unit/**/*.test.ts',
      'test/defects/**/*.test.ts',
    ],
    budgetSeconds: 45,
    full: false,
    jobs: 2,
  },
  { name: 'e2e', files: ['test/e2e/**/*.test.ts'], budgetSeconds: 75, full: false, jobs: 2 },
  { name: 'full', files: ['test/full/**/*.test.ts'], budgetSeconds: 900, full: true, jobs: 1 },
]
