// Checker effects: side effects, counted where they happen: each step runs at a pod once for each try that was asked for.

import { type Checker, Findings } from './checker.ts'
import { operationsOf } from './operations.ts'

export const effects: Checker = {
  name: 'effects',
  claim:
    'each step that a component serves runs at the pods once: never again unless its flow asks for a retry, and never not at all where it has a result',
  check(history, context) {
    const findings = new Findings()
    const { runs, processes, witnesses } = operationsOf(history)
    const seesPods = witnesses.has('component-server')
    let executions = 0
    for (const { runId, steps } of runs.values()) {
      for (const { stepId, item, calls, results } of steps.values()) {
        // A step of the runtime's own builtins calls nobody.
        if (calls.length === 0) continue
        findings.examined++
        const name = `run ${runId} step ${stepId} item ${item}`
        const executes = calls.flatMap((call) => call.executes)
        executions += executes.length
        if (executes.length > 1 && !context.ownFlow) {
          const pods = executes.map(({ pod, attempt }) => `${pod} (attempt ${attempt})`).join(', ')
          findings.violation(`${name}: ran ${executes.length} times, and its flow asks for no retry: ${pods}`)
        } else if (executes.length > calls.length) {
          findings.violation(`${name}: asked for ${calls.length} times, ran ${executes.length} times`)
        }
        const success = results.find(({ outcome }) => outcome === 'success')
        if (success !== undefined && executes.length === 0 && seesPods && processes.size > 0) {
          findings.violation(`${name}: has a result, and no pod ran it`)
        }
      }
    }
    findings.summary = `${findings.examined} steps, ${executions} executions at the pods`
    return findings
  },
}
