// Calls kubectl: what it prints, or why it failed.

import { spawn } from 'node:child_process'
import { GauntletError } from '../../contracts/errors.ts'

/** @param onText gets what it prints as it comes */
export type Kubectl = (
  args: readonly string[],
  input?: string,
  onText?: (text: string) => void,
) => Promise<string>

/** @throws GauntletError ERR_ENVIRONMENT where there is no kubectl, ERR_CLUSTER with its words where it fails */
export function createKubectl(context: string | null): Kubectl {
  return (args, input = '', onText) =>
    new Promise((resolve, reject) => {
      const child = spawn('kubectl', [...(context === null ? [] : ['--context', context]), ...args], {
        stdio: ['pipe', 'pipe', 'pipe'],
      })
      let [out, problem] = ['', '']
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text
        onText?.(text)
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        problem += text
      })
      child.once('error', (error) =>
        reject(
          new GauntletError('ERR_ENVIRONMENT', `cannot be started: ${error.message}`, {
            field: 'kubectl',
            fix: 'install it: it renders and applies the manifests',
          }),
        ),
      )
      child.once('close', (code) => {
        if (code === 0) return resolve(out)
        reject(
          new GauntletError('ERR_CLUSTER', problem.trim() || `exit code ${code}`, {
            field: `kubectl ${args.slice(0, 3).join(' ')}`,
          }),
        )
      })
      child.stdin.once('error', () => {})
      child.stdin.end(input)
    })
}
