// Checker once: nothing is recorded twice, nothing runs twice for one attempt, nothing runs that was not asked for.

import { type Checker, Findings } from './checker.ts'
import { operationsOf } from './operations.ts'

export const once: Checker = {
  name: 'once',
  claim:
    'each step of each item has one result, each run one end, and pods execute each attempt at most once',
  check(history) {
    const findings = new Findings()
    const { offers, runs, calls, witnesses } = operationsOf(history)
    let executions = 0
    let results = 0
    for (const { runId, ended, steps } of runs.values()) {
      if (ended.length > 1) findings.violation(`run ${runId}: ended ${ended.length} times`)
      for (const step of steps.values()) {
        if (step.results.length === 0) continue
        results++
        if (step.results.length > 1) {
          const outcomes = step.results.map(({ outcome, attempt }) => `${outcome} of attempt ${attempt}`)
          findings.violation(
            `run ${runId} step ${step.stepId} item ${step.item}: ${step.results.length} results: ${outcomes.join(', ')}`,
          )
        }
      }
    }
    for (const { requestId, sent, executes } of calls.values()) {
      if (executes.length === 0) continue
      executions++
      const pods = executes.map(({ pod }) => pod).join(', ')
      if (executes.length > 1) {
        findings.violation(`call ${requestId}: one attempt executed ${executes.length} times: ${pods}`)
      }
      // call.sent is written before the request's first byte, so even a killed runtime has it.
      if (sent === undefined && witnesses.has('runtime') && !offers.has(requestId)) {
        findings.violation(`call ${requestId}: executed at ${pods}, and nobody sent it`)
      }
    }
    for (const { request, answers } of offers.values()) {
      if (answers.length > 1) findings.violation(`${request}: answered ${answers.length} times`)
    }
    findings.examined = results + executions
    findings.summary = `${results} step results, ${executions} executed calls`
    return findings
  },
}
