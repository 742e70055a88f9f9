// Preloaded into a pod while coverage is taken: writes it when the node agent asks, which then may kill the pod.

import { takeCoverage } from 'node:v8'

process.on('message', () => {
  takeCoverage()
  process.send?.('taken')
})
// The channel must not keep a program alive that is done.
process.channel?.unref()
