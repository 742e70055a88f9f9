// Load: engines, profiles, and what their results say about the system and about themselves.

export { createEmbeddedEngine } from './engines/embedded/index.ts'
export { engines } from './engines/index.ts'
