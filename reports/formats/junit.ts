// junit.xml: one test suite a scenario, one test case a checker or threshold.

import imported from 'junit-report-builder'
import type { Judgement, Results } from '../../contracts/results.ts'
import { outcomeOf, reasonsOf } from '../judge/verdict.ts'

// Its types describe the ES module; Node loads the CommonJS one, whose default export is the builder itself.
const builder = imported as unknown as typeof imported.default

type Suite = ReturnType<typeof builder.testSuite>

/** The text. FAIL is a failure, INVALID an error of type INVALID, a target not measured is skipped. */
export function renderJunit(results: Results): string {
  const junit = builder.newBuilder().name(xmlText(results.suite))
  const startedAtMs = Date.parse(results.startedAt)
  for (const scenario of results.scenarios) {
    const startedAt = new Date(results.clockOriginMs + scenario.startedAt / 1_000)
    const seconds = (scenario.endedAt - scenario.startedAt) / 1e6
    const suite = junit.testSuite().name(xmlText(scenario.scenario)).time(seconds)
    suite.timestamp(Number.isNaN(startedAt.getTime()) ? new Date(startedAtMs) : startedAt)
    suite.property('seed', String(scenario.seed)).property('replay', xmlText(scenario.replay))
    addCases(suite, scenario.scenario, scenario.judgements, scenario.replay)
    const rest = reasonsOf({ ...results, scenarios: [scenario], judgements: [] })
    for (const reason of rest.filter(({ name }) => name === undefined)) {
      suite
        .testCase()
        .className(xmlText(scenario.scenario))
        .name(xmlText(reason.claim))
        .error(
          xmlText(reason.reason),
          scenario.ended?.kind === 'error' ? 'HARNESS' : 'INVALID',
          xmlText(`replay: ${reason.replay}`),
        )
    }
  }
  const whole = [...(results.judgements ?? []), ...results.notMeasured]
  if (whole.length > 0) {
    const name = xmlText(`${results.suite} as a whole`)
    addCases(junit.testSuite().name(name), name, whole, results.command)
  }
  return junit.build()
}

function addCases(suite: Suite, className: string, judgements: readonly Judgement[], replay: string): void {
  for (const judgement of judgements) {
    const one = suite
      .testCase()
      .className(xmlText(className))
      .name(xmlText(`${judgement.name}: ${judgement.claim}`))
    const reason = xmlText(judgement.reason)
    const examples = judgement.kind === 'checker' ? (judgement.examples ?? []) : []
    const content = xmlText([judgement.reason, ...examples, `replay: ${replay}`].join('\n'))
    const outcome = outcomeOf(judgement)
    if (outcome === 'fail') one.failure(reason, 'FAIL').stacktrace(content)
    if (outcome === 'unknown') one.error(reason, 'INVALID', content)
    if (outcome === 'not measured') one.skipped()
    if (outcome === 'pass') one.standardOutput(reason)
  }
}

/**
 * Text for the builder: characters that XML 1.0 cannot carry, not even escaped, become U+FFFD; and since it
 * escapes no more than the first end of a CDATA section, there is none.
 */
export function xmlText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll(']]>', ']] >')
}
