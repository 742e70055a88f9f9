// What an operator can see and do by the admin listener: pods with state and in-flight, drain, undrain, reload.

import type { AdminAnswer } from '../program/admin.ts'
import type { Balancer } from './balancer.ts'

export interface AdminApi {
  extra(path: string): AdminAnswer | undefined
  act(path: string): AdminAnswer | Promise<AdminAnswer> | undefined
}

/** @param reload puts the configuration file into force anew; rejects with what is wrong with it */
export function createAdminApi(balancer: Balancer, reload: () => Promise<void>): AdminApi {
  return {
    extra: (path) =>
      path === '/backends' ? json(200, { backends: balancer.directory.reports() }) : undefined,
    act(path) {
      if (path === '/drain') {
        balancer.announceDrain()
        return json(200, { draining: true })
      }
      if (path === '/reload') {
        return reload().then(
          () => json(200, { reloaded: true }),
          (error: unknown) => json(400, { error: error instanceof Error ? error.message : String(error) }),
        )
      }
      const command = /^\/backends\/([^/]+)\/(drain|undrain)$/.exec(path)
      if (command === null) return undefined
      const [, name = '', word] = command
      const key = decode(name)
      return balancer.directory.hold(key, word === 'drain')
        ? json(200, { backend: key, held: word === 'drain' })
        : json(404, { error: `no backend ${key}, see /backends` })
    },
  }
}

function json(status: number, value: unknown): AdminAnswer {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` }
}

/** IPv6 addresses may come percent-encoded. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
