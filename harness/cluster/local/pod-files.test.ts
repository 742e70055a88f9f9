import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { podFiles, readHistory, readLog } from './pod-files.ts'

t.test('a history has what still waits in the buffer, once', async (t) => {
  const directory = t.testdir({})
  const { historyFile, historyBuffer, logFile } = podFiles(directory, 'p')
  t.equal(await readHistory(directory, 'p'), '')
  t.equal(await readLog(directory, 'p'), '')
  for (const file of [historyFile, logFile]) mkdirSync(dirname(file), { recursive: true })
  const buffer = (waiting: number, place: number): void =>
    writeFileSync(
      historyBuffer,
      Buffer.concat([Buffer.from(new Float64Array([waiting, place]).buffer), Buffer.from('b\nc\ntorn')]),
    )
  buffer(4, 0)
  t.equal(await readHistory(directory, 'p'), 'b\nc\n', 'nothing is written yet')
  writeFileSync(historyFile, 'a\n')
  buffer(4, 2)
  t.equal(await readHistory(directory, 'p'), 'a\nb\nc\n')
  writeFileSync(historyFile, 'a\nb\nc\nd\n')
  t.equal(await readHistory(directory, 'p'), 'a\nb\nc\nd\n', 'it was written since the buffer was read')
  rmSync(historyBuffer)
  t.equal(await readHistory(directory, 'p'), 'a\nb\nc\nd\n')
  writeFileSync(logFile, 'log\n')
  t.equal(await readLog(directory, 'p'), 'log\n')
  mkdirSync(historyBuffer)
  await t.rejects(readHistory(directory, 'p'), { code: 'ERR_CLUSTER' })
})
