// Tests of merge patches: the examples of RFC 7396, appendix A.

import t from 'tap'
import { parseJson } from './json.ts'
import { mergePatch } from './json-merge.ts'

t.test('merges as RFC 7396 says', async (t) => {
  const cases: [string, string, string][] = [
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
    ['{"z":1.0,"10":2}', '{"10":1e3}', '{"z":1.0,"10":1000.0}'],
  ]
  for (const [target, patch, expected] of cases) {
    t.equal(mergePatch(parseJson(target), parseJson(patch)), expected)
  }
})
