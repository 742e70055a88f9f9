// All that a scenario may import for its types; what it does comes through the trial it is handed (see start.mjs).

export type { ScenarioDefinition } from './scenario/definition.ts'
export type { JudgedTrial as Trial } from './scenario/judged-trial.ts'
