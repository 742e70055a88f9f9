// The planted defects that `npm run test:full` has time for: one for each checker, in the quickest scenario.

import { type DefectName, defects } from '../defects/index.ts'

/** Quickest first; a defect that only a soak brings out is left to `npm run sensitivity`. */
const quick = ['smoke', 'overhead', 'kill-mid-sse', 'affinity', 'scale']

export const slice: readonly DefectName[] = sliceOf()

function sliceOf(): readonly DefectName[] {
  const ofChecker = new Map<string, DefectName>()
  for (const scenario of quick) {
    for (const [name, defect] of Object.entries(defects) as [DefectName, (typeof defects)[DefectName]][]) {
      if (defect.scenario === scenario && !ofChecker.has(defect.checker)) ofChecker.set(defect.checker, name)
    }
  }
  return [...ofChecker.values()]
}
