#!/usr/bin/env zx
// Experiment: what an experiment file says, e.g. one of experiments/ or your own.
//
//   npx zx scenarios/experiment.mjs experiments/kill-one-pod.yaml
//   npx zx scenarios/experiment.mjs --help

import { scenario } from '../harness/start.mjs'

await scenario(import.meta, {
  summary: 'What the experiment file that you name claims, while its faults are injected',
  durationMs: 8_000,
  takesExperiment: true,
  async run() {},
})
