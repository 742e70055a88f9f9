// What a scenario is: a name, a sentence, a duration, and a function that is handed a trial.

import type { CheckerName } from '../../chaos/checkers/index.ts'
import type { Cluster } from '../../contracts/cluster.ts'
import type { Role } from '../../contracts/history.ts'
import type { JudgedTrial } from './judged-trial.ts'

export interface ScenarioDefinition {
  /** What it proves, in one sentence: for --help, the README's table and the report. */
  readonly summary: string
  /** How long its load runs when it is run alone, ms; `--duration` changes it. */
  readonly durationMs: number
  /** The same within `npm run load`. Default: `durationMs`. */
  readonly suiteDurationMs?: number
  /** The shortest duration with which it can judge, ms; less is refused. Default 1,000. */
  readonly leastDurationMs?: number
  /** The longest, ms; more is refused. Default a day. */
  readonly mostDurationMs?: number
  /** The only kinds of cluster that it can run on. Default all. */
  readonly clusters?: readonly Cluster['kind'][]
  /** Replicas it starts from; default runtime 1, balancer 2, component-server 3. */
  readonly replicas?: Partial<Record<Role, number>>
  /** Roles on the way to whose pods faults need a proxy. Default none. */
  readonly links?: readonly Role[]
  /** Whether it runs an experiment file, named on the command line. Default false. */
  readonly takesExperiment?: boolean
  /** Whether `--flow`, `--inputs` and `--expect` replace its workload. Default false. */
  readonly takesFlow?: boolean
  /**
   * Checkers (chaos/checkers) of its own claim, beside those of every trial. Named here rather than called, so that
   * they judge what was recorded also when the scenario cannot go on.
   */
  readonly checkers?: readonly CheckerName[]
  /** Measures and judges through the trial; returns when done. Throwing is a harness error. */
  run(trial: JudgedTrial): Promise<void>
}

/** A definition with the file it stands in; its name is the file's, without `.mjs`. */
export interface LoadedScenario {
  readonly name: string
  readonly file: string
  readonly definition: ScenarioDefinition
  /** What stands behind the file's name on its command line, e.g. an experiment's file. */
  readonly words?: readonly string[]
  /** The command that runs it again, where that is another than the file's own. */
  readonly replay?: string
}
