// What must be done before bytes leave this thread for a peer: links look here before each write.

export interface Outgoing {
  /** Null: nothing. Sets it back to null when done. */
  before: (() => void) | null
  /** The same before figures are told to whoever compares them with what was done. */
  beforeFigures: (() => void) | null
}

export const outgoing: Outgoing = { before: null, beforeFigures: null }
