// Makes a scenario of an experiment file, so that it runs, is judged and is reported as every other.

import { readFileSync } from 'node:fs'
import { checkers } from '../../chaos/checkers/index.ts'
import { type Experiment, linksOf } from '../../chaos/experiments/model.ts'
import { parseExperiment } from '../../chaos/experiments/parse.ts'
import { GauntletError } from '../../contracts/errors.ts'
import type { ScenarioDefinition } from '../scenario/definition.ts'
import type { Own } from './own.ts'
import { runExperiment } from './run.ts'

/** @throws GauntletErrors with every problem, each with its line */
export function readExperiment(file: string, own: Own): Experiment {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new GauntletError('ERR_CONFIG_READ', 'cannot be read', {
      field: file,
      fix: 'name an experiment file, e.g. experiments/kill-one-pod.yaml',
      cause,
    })
  }
  return parseExperiment(text, file, {
    faults: own.faults,
    checkers: [...Object.keys(checkers), ...Object.keys(own.checkers)],
  })
}

export function definitionOf(experiment: Experiment, own: Own): ScenarioDefinition {
  return {
    summary: experiment.description,
    durationMs: experiment.durationMs,
    replicas: experiment.replicas,
    links: linksOf(experiment, (fault) => own.faults[fault]?.victim),
    run: (trial) =>
      runExperiment(
        trial,
        { ...experiment, durationMs: trial.durationMs },
        { faults: own.faults, ownCheckers: own.checkers },
      ),
  }
}
