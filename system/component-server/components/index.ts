// The components every component server has; one line registers each.

import type { Component } from '../component.ts'
import { add, double, multiply, square } from './arithmetic.ts'
import { storeAndRetrieveBlob } from './blobs.ts'
import { computeIntensiveTask, fibonacci } from './compute.ts'

export const builtInComponents: readonly Component[] = [
  double,
  square,
  add,
  multiply,
  computeIntensiveTask,
  fibonacci,
  storeAndRetrieveBlob,
]
