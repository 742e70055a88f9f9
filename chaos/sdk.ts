// What a fault or a checker of your own imports: the same that those of this project are made with.

export type { History } from '../contracts/history.ts'
export type { Checker, FullContext } from './checkers/checker.ts'
export { Findings } from './checkers/checker.ts'
export type { AimedFault, Fault, Target } from './faults/fault.ts'
export { defineFault, noSettings } from './faults/fault.ts'
