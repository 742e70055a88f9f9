// Callbacks that wait for their reply, and the streams that wait with them: if one is lost, so is the other.

/** A stream that can be ended because a reply to it was lost. */
export interface Waiting {
  onCallbackLost(message: string): void
}

export class Callbacks {
  readonly #waiting = new Map<string, Waiting>()

  add(instanceId: string, id: string, stream: Waiting): void {
    this.#waiting.set(`${instanceId} ${id}`, stream)
  }

  /** The reply arrived, or the stream ended. */
  remove(instanceId: string, id: string): void {
    this.#waiting.delete(`${instanceId} ${id}`)
  }

  /** The reply to callback `id` (raw JSON) of `instanceId` cannot be delivered. False: no stream of ours waits. */
  lose(instanceId: string, id: string, message: string): boolean {
    const key = `${instanceId} ${id}`
    const stream = this.#waiting.get(key)
    if (stream === undefined) return false
    this.#waiting.delete(key)
    stream.onCallbackLost(message)
    return true
  }
}
