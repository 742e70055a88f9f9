// UPSTREAM_SERVICE.

import t from 'tap'
import { parseNames } from './names.ts'

t.test('reads one name, or several names and addresses', async (t) => {
  t.same(parseNames('component-server.stepflow-demo.svc.cluster.local:8080'), [
    { host: 'component-server.stepflow-demo.svc.cluster.local', port: 8080 },
  ])
  t.same(parseNames('a:1, 127.0.0.1:2,[::1]:3'), [
    { host: 'a', port: 1 },
    { host: '127.0.0.1', port: 2 },
    { host: '::1', port: 3 },
  ])
})

t.test('says what to write instead of anything else', async (t) => {
  for (const text of ['', 'a', 'a:', 'a:0', 'a:99999', 'http://a:1', 'a:1,', '::1:3']) {
    t.throws(() => parseNames(text), { code: 'ERR_FLAG_VALUE', field: '--upstream-service' })
  }
})
