// What users write components with: everything a file of components may import.

export { Type } from '@sinclair/typebox'
export { type ComponentSpec, component } from './component.ts'
export type { Context, EvaluateOptions, ItemResult, Observability } from './context.ts'
export { ComponentError } from './failure.ts'
export { Raw, RawJson } from './raw-json.ts'
export type { StandardSchema } from './schema.ts'
