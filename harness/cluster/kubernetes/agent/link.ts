// The way to the pod's program: the fault-injecting proxy at the port where the program would listen, and the requests
// that put effects on it.

import type { IncomingMessage } from 'node:http'
import type { Role } from '../../../../contracts/cluster.ts'
import type { LinkAim, LinkEffect, LinkReport, Moment } from '../../../../contracts/hooks.ts'
import type { Endpoint } from '../../local/addresses.ts'
import { Links } from '../../local/links.ts'

export interface AgentLinkProxy {
  /** Answers `POST /link/<what>`; null: there is no such request. */
  answer(what: string, body: unknown): Promise<object> | null
  /** Everything is as if nothing had been asked for: effects are gone, moments are released. */
  clear(): void
  close(): void
}

/** The pod has one link, so its name and role are of no matter here. */
const [pod, role] = ['pod', 'component-server' satisfies Role] as const
const aim: LinkAim = { role, pod }
/** A request to a link is a few settings. */
const maxBodyBytes = 65_536

export function startLink(at: { readonly listen: Endpoint; readonly upstream: Endpoint }): AgentLinkProxy {
  const log = (event: string, fields: object): void =>
    void process.stdout.write(`${JSON.stringify({ program: 'agent', event, ...fields })}\n`)
  const links = new Links({ log, changed: () => {} })
  const effects = new Set<string>()
  const watches = new Set<string>()
  links.open({ pod, role, ...at })

  const remove = (id: string): void => {
    links.remove(id)
    effects.delete(id)
  }
  const release = (watch: string): void => {
    links.release(watch)
    watches.delete(watch)
  }
  const answers: Readonly<Record<string, (body: never) => object | Promise<object>>> = {
    add({ effect, seed }: { readonly effect: LinkEffect; readonly seed: number }) {
      const id = links.add(aim, effect, seed)
      effects.add(id)
      return { id }
    },
    remove({ id }: { readonly id: string }) {
      remove(id)
      return {}
    },
    report: ({ id }: { readonly id: string }): LinkReport => links.report(id),
    async moment({ watch, moment }: { readonly watch: string; readonly moment: Moment }) {
      watches.add(watch)
      return { came: (await links.moment(watch, aim, moment)) !== null }
    },
    release({ watch }: { readonly watch: string }) {
      release(watch)
      return {}
    },
  }
  return {
    answer: (what, body) =>
      Object.hasOwn(answers, what) ? Promise.resolve(answers[what]?.(body as never) ?? {}) : null,
    clear() {
      for (const id of [...effects]) remove(id)
      for (const watch of [...watches]) release(watch)
    },
    close: () => links.close(),
  }
}

/** @throws Error where it is no JSON, or longer than a request to a link is */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk as string
    if (text.length > maxBodyBytes) throw new Error(`the body is over ${maxBodyBytes} bytes`)
  }
  return text === '' ? {} : JSON.parse(text)
}
