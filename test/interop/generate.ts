// Flows, inputs and broken requests drawn from a seed: every kind of expression, path, step and number.

import fc from 'fast-check'
import { readTree, type Tree } from './tree.ts'

/** A flow and a run of it; all but the flow's steps as the JSON text that is sent. */
export interface FlowCase {
  readonly flow: string
  readonly input: string
  readonly variables: string | undefined
  readonly overrides: string | undefined
}

/** A request whose body is not what it should be. */
export interface BrokenCase {
  readonly path: '/flows' | '/runs'
  readonly body: string
}

/** Draws one of `0..below-1`. */
type Draw = (below: number) => number

function drawn<T>(make: (draw: Draw) => T): fc.Arbitrary<T> {
  return fc.gen().map((gen) => make((below) => gen(fc.nat, Math.max(0, below - 1))))
}

export const flowCases: fc.Arbitrary<FlowCase> = drawn((draw) => new Maker(draw).flowCase())
export const brokenCases: fc.Arbitrary<BrokenCase> = drawn((draw) => new Maker(draw).brokenCase())

const scalars = [
  ...['null', 'true', 'false', '0', '1', '-5', '7', '42'],
  ...['1.0', '-0.0', '-0', '1e3', '1E+2', '0.1', '1e-7', '123456789.125', '1e300', '5e-324', '0.1e1'],
  ...['9007199254740993', '18446744073709551615', '-9223372036854775808', '123456789012345678901'],
  ...['9223372036854775808', '-9223372036854775809', '1.7976931348623157e308', '100000000000000000000000.0'],
  ...[
    '""',
    '"a"',
    '"a.b"',
    '"é😀\\n"',
    '"q\\"\\\\"',
    '"\\u0041\\/\\u007f"',
    '"\\u0001\\u2028"',
    '"$.a"',
    '"data"',
  ],
]
const keys = ['a', 'b', 'c', '10', '2', '01', 'x y', 'k.k', 'k[0]', '', 'é', '$nope', '__proto__', 'toString']
const paths = [
  ...[
    '$',
    '',
    'a',
    'b',
    '$.a',
    '$.b',
    '$.a.b',
    '$[0]',
    '$[1]',
    '$.a[0]',
    '$[0].a',
    "$['a']",
    '$["10"]',
    '$["01"]',
  ],
  ...['$..a', '$.a.', '$.x y', 'x y', '$.10', '$.2', '$[2]', '$.é', '$["b"].a', '$.__proto__', '$.toString'],
  ...['data', 'blob_id', 'result', '$.result.a', '$.results[0].result', '$.messages[0].content', 'outcome'],
]
const wrongPaths = ['$a', '$.a[', '$[-1]', '$[x]', "$['a", '$[]', '$[0]x', '$.a[*]', '$[1.5]', '$[0', '$[ 0]']

/** What a step gives, so that nothing is drawn that differs from run to run or by what the table allows. */
type Gives = 'anything' | 'eval' | 'map'

interface Step {
  readonly id: string
  readonly gives: Gives
}

class Maker {
  readonly #draw: Draw

  /** Where a branch may need steps that nothing else needs: the real one says so in an output, hangs in an input. */
  #late: 'nowhere' | 'output' | 'input' = 'nowhere'

  constructor(draw: Draw) {
    this.#draw = draw
  }

  flowCase(): FlowCase {
    this.#late = this.#one(40) ? 'input' : this.#one(8) ? 'output' : 'nowhere'
    const flow = this.flow(true)
    return {
      flow,
      input: this.#list(this.#late === 'nowhere' && this.#one(8) ? 3 : 1, () => this.value(2)),
      variables: this.#one(3) ? this.#object(['v', 'w', 'u', 'extra'], () => this.value(2)) : undefined,
      overrides: this.#one(6) ? this.#overrides(flow) : undefined,
    }
  }

  value(depth: number): string {
    const kind = this.#draw(10)
    if (depth === 0 || kind < 6) return this.#pick(scalars)
    if (kind < 8) return this.#object(keys, () => this.value(depth - 1))
    return this.#list(this.#draw(4), () => this.value(depth - 1))
  }

  /** @param nested whether it may hold sub-flows */
  flow(nested: boolean): string {
    const fields: [string, string][] = []
    if (this.#one(2)) fields.push(['name', this.#pick(['"n"', '" "', 'null', '"long name"'])])
    if (this.#one(3)) fields.push(['description', this.#pick(['"d"', '""', 'null'])])
    if (this.#one(6)) fields.push(['version', this.#pick(['"1.0"', 'null'])])
    if (this.#one(3)) fields.push(['schemas', this.#schemas()])
    if (this.#one(12)) fields.push(['unknown', this.value(1)])
    const steps: Step[] = []
    const texts: string[] = []
    for (let left = this.#draw(nested ? 6 : 3); left > 0; left--) texts.push(this.#step(steps, nested))
    if (texts.length > 0 || this.#one(2)) fields.push(['steps', `[${texts.join(',')}]`])
    if (!this.#one(20)) fields.push(['output', this.#expression(steps, 3, 'output')])
    if (this.#one(12))
      fields.push([
        'examples',
        `[{"name":"e","input":${this.value(1)}},{"input":1,"name":"f","description":"d"}]`,
      ])
    if (this.#one(12)) fields.push(['test', this.#test()])
    if (this.#one(10)) fields.push(['metadata', `{${this.#pick(['', `"m":${this.value(1)}`])}}`])
    if (this.#one(6)) fields.reverse()
    return `{${fields.map(([key, text]) => `"${key}":${text}`).join(',')}}`
  }

  brokenCase(): BrokenCase {
    const path = this.#pick(['/flows', '/flows', '/flows', '/runs'] as const)
    const flow = this.flow(true)
    const whole =
      path === '/flows'
        ? `{"flow":${flow}${this.#pick(['', ',"dryRun":true'])}}`
        : `{"flowId":"x","input":[1],"overrides":{"a":{"value":{}}},"variables":{"v":1},"maxConcurrency":3}`
    const tree = readTree(whole) as Tree
    if (this.#one(5)) return { path, body: this.#garble(whole) }
    return { path, body: this.#mutate(tree) }
  }

  #step(steps: Step[], nested: boolean): string {
    const id = this.#one(25) ? this.#pick(['s0', '', ' ', 'x y', 'a.b', 'é']) : `s${steps.length}`
    const { component, input, gives } = this.#call(steps, nested)
    const fields: [string, string][] = [
      ['id', JSON.stringify(id)],
      ['component', JSON.stringify(component)],
    ]
    if (input !== undefined) fields.push(['input', input])
    if (this.#one(4)) fields.push(['onError', this.#onError()])
    if (this.#one(5)) fields.push(['mustExecute', this.#pick(['true', 'true', 'false', 'null'])])
    if (this.#one(15)) fields.push(['metadata', `{"m":${this.value(1)}}`])
    if (this.#one(6)) fields.reverse()
    steps.push({ id, gives })
    return `{${fields.map(([key, text]) => `"${key}":${text}`).join(',')}}`
  }

  #call(steps: readonly Step[], nested: boolean): { component: string; input?: string; gives: Gives } {
    const expression = (): string => this.#expression(steps, 2, 'input')
    const home = this.#pick(['/builtin', ''])
    const gives: Gives = 'anything'
    switch (this.#draw(nested ? 20 : 13)) {
      case 0:
      case 1:
      case 2: {
        const type = this.#pick(['"data"', '"data"', '"data"', '"data"', '"x"', '{"$input":"$"}'])
        return { component: `${home}/put_blob`, input: `{"data":${expression()},"blob_type":${type}}`, gives }
      }
      case 3:
      case 4: {
        const step = steps.length === 0 ? undefined : this.#pick(steps)
        const id = step === undefined ? '"x"' : `{"$step":${JSON.stringify(step.id)},"path":"blob_id"}`
        return {
          component: `${home}/get_blob`,
          input: `{"blob_id":${this.#one(6) ? expression() : id}}`,
          gives,
        }
      }
      case 5:
      case 6:
      case 7:
      case 8:
        return { component: '/w/echo', input: expression(), gives }
      case 9: {
        const prompt = this.#one(3) ? expression() : '"u"'
        const system = this.#pick(['', ',"system_instructions":"s"', ',"system_instructions":null'])
        return { component: `${home}/create_messages`, input: `{"user_prompt":${prompt}${system}}`, gives }
      }
      case 10:
        return {
          component: this.#pick(['/w/fail', '/w/null', '/m/one', '/m/broken', '/m/known']),
          input: expression(),
          gives,
        }
      case 11:
        return {
          component: '/m/known',
          input: this.#pick(['1', '{"a":1}', '1.0', '"x"', '"failed"', '"broken"']),
          gives,
        }
      case 12:
        return {
          component: this.#pick(['/nope', 'nope', '/x/y', '', '/w/nope', '/builtin/nope', '/c/any']),
          input: expression(),
          gives,
        }
      case 13:
      case 14: {
        const items = this.#one(3) ? expression() : this.#list(this.#draw(4), () => this.value(1))
        const flow = this.#one(12) ? this.#pick(scalars) : this.#plainFlow()
        return {
          component: `${home}/map`,
          input: `{"workflow":{"$literal":${flow}},"items":${items}}`,
          gives: 'map',
        }
      }
      case 15: {
        const flow = this.#pick([
          '{"output":{"result":{"$input":"$"}}}',
          '{"output":{"next":{"$input":"$"}}}',
          '{"output":{"$if":{"$input":"$.a"},"then":{"result":{"$input":"$.a"}},"else":{"next":{"a":{"$input":"$"}}}}}',
          '{"output":1}',
          this.#plainFlow(),
        ])
        const most = this.#pick(['', ',"max_iterations":3', ',"max_iterations":0', ',"max_iterations":1'])
        const input = `{"flow":{"$literal":${flow}},"initial_input":${expression()}${most || ',"max_iterations":5'}}`
        return { component: `${home}/iterate`, input, gives }
      }
      case 16:
      case 17: {
        const flow = this.#one(10) ? this.#pick(scalars) : this.#plainFlow()
        return {
          component: `${home}/put_blob`,
          input: `{"data":{"$literal":${flow}},"blob_type":"flow"}`,
          gives,
        }
      }
      default: {
        const step = steps.length === 0 ? undefined : this.#pick(steps)
        const id = step === undefined ? '"x"' : `{"$step":${JSON.stringify(step.id)},"path":"blob_id"}`
        return {
          component: `${home}/eval`,
          input: `{"flow_id":${id},"input":${expression()}}`,
          gives: 'eval',
        }
      }
    }
  }

  /** A sub-flow whose failures say the same on both sides: of values, not of components. */
  #plainFlow(): string {
    const steps: Step[] = []
    const texts: string[] = []
    for (let left = this.#draw(3); left > 0; left--) {
      const input = this.#expression(steps, 2, 'input')
      texts.push(`{"id":"s${steps.length}","component":"/w/echo","input":${input}}`)
      steps.push({ id: `s${steps.length}`, gives: 'anything' })
    }
    const output = this.#expression(steps, 2, 'input')
    return `{"steps":[${texts.join(',')}],"output":${output}}`
  }

  /**
   * @param open false in a condition, which takes what the real one says of a late need for "no"
   */
  #expression(steps: readonly Step[], depth: number, place: 'input' | 'output', open = true): string {
    const later = this.#late === place && open ? steps : []
    const inner = (): string => this.#expression(steps, depth - 1, place, open)
    const condition = (): string => this.#expression(steps, depth - 1, place, false)
    const branch = (): string => this.#expression(later, depth - 1, place, open)
    const kind = this.#draw(100)
    if (depth === 0 || kind < 18) return this.value(1)
    if (kind < 46 && steps.length > 0) return this.#stepReference(steps, place)
    if (kind < 58) return `{"$input":${this.#path()}}`
    if (kind < 63) return `{"$literal":${this.#pick([this.value(2), '{"$step":"zz"}', '{"$input":"$"}'])}}`
    if (kind < 71) {
      const otherwise = this.#one(3) ? '' : `,"else":${branch()}`
      return `{"$if":${condition()},"then":${branch()}${otherwise}}`
    }
    if (kind < 79) {
      const rest = Array.from({ length: this.#draw(3) }, branch)
      return `{"$coalesce":[${this.#one(10) ? '' : [inner(), ...rest].join(',')}]}`
    }
    if (kind < 86) {
      const name = this.#pick(['"v"', '"w"', '"$.v.a"', '"$.u"', '"$[0]"', '"$"', '"u"', '"$.w.b[0]"'])
      const fallback = this.#one(2) ? `,"default":${branch()}` : ''
      return `{"$variable":${name}${fallback}}`
    }
    if (kind < 88) return `{"$step":"zz"}`
    if (kind < 95) return this.#object(keys, inner)
    return this.#list(this.#draw(4), inner)
  }

  #stepReference(steps: readonly Step[], place: 'input' | 'output'): string {
    const { id, gives } = this.#pick(steps)
    const name = JSON.stringify(id)
    // A run's id and a failure's data are not alike on both sides: they must not get into a blob, whose id is a hash.
    if (gives === 'eval' && place === 'input') return `{"$step":${name},"path":"$.result.result"}`
    if (gives === 'map' && place === 'input') return `{"$step":${name},"path":"$.successful"}`
    return this.#one(3) ? `{"$step":${name}}` : `{"$step":${name},"path":${this.#path()}}`
  }

  #path(): string {
    if (this.#one(20)) return 'null'
    return JSON.stringify(this.#pick(this.#one(40) ? wrongPaths : paths))
  }

  #onError(): string {
    return this.#pick([
      '{"action":"fail"}',
      '{"action":"useDefault"}',
      `{"action":"useDefault","defaultValue":${this.value(1)}}`,
      '{"action":"useDefault","defaultValue":{"$input":"$"}}',
      '{"action":"useDefault","defaultValue":null}',
      'null',
    ])
  }

  #schemas(): string {
    const variable = (): string =>
      this.#pick([
        `{"default":${this.value(1)}}`,
        ...['{"type":"string"}', '{"type":"integer"}', '{"type":["string","null"]}', '{"type":"boolean"}'],
        ...[
          '{}',
          '{"type":"null"}',
          '{"type":"array"}',
          '{"type":"object"}',
          '{"type":"number"}',
          '{"default":null}',
        ],
      ])
    const required = this.#pick(['', ',"required":[]', ',"required":["v"]', ',"required":["w","zz"]'])
    const variables = `{"type":"object","properties":{"v":${variable()},"w":${variable()}}${required}}`
    const more = this.#pick([
      '',
      ',"input":{"type":"object"}',
      ',"output":{}',
      ',"steps":{"properties":{"s0":{}}}',
    ])
    const defs = this.#pick(['', ',"$defs":{"A":{"type":"string"}}', ',"$defs":{}', ',"other":1'])
    return `{"type":"object","properties":{"variables":${variables}${more}}${defs}}`
  }

  #test(): string {
    const output = this.#pick([
      ...['', ',"output":null', ',"output":{"outcome":"success","result":1.0}'],
      ',"output":{"outcome":"failed","error":{"code":1,"message":"m"}}',
    ])
    return `{"cases":[{"name":"e","input":1},{"name":"c","description":"d","input":${this.value(1)}${output}}],"config":{"a":1}}`
  }

  /** Patches of steps that are there; others are a case of their own. */
  #overrides(flow: string): string | undefined {
    const tree = readTree(flow)
    const steps = tree?.kind === 'object' ? tree.members.find(([key]) => key === 'steps')?.[1] : undefined
    const ids = steps?.kind === 'array' ? steps.items.flatMap(idOf) : []
    if (ids.length === 0) return this.#pick(['{}', undefined])
    const patch = this.#pick([
      ...[
        '{}',
        '{"component":"/w/echo"}',
        `{"input":${this.value(2)}}`,
        '{"input":{"$input":"$"}}',
        '{"input":null}',
      ],
      ...['{"onError":{"action":"useDefault","defaultValue":5}}', '{"onError":null}', '{"mustExecute":true}'],
      `{"input":{"data":${this.value(1)}}}`,
    ])
    const type = this.#pick(['', '"$type":"merge_patch",'])
    return `{${JSON.stringify(this.#pick(ids))}:{${type}"value":${patch}}}`
  }

  // ---- broken requests --------------------------------------------------------------------------------

  #garble(text: string): string {
    const at = this.#draw(text.length)
    return this.#pick([
      text.slice(0, at),
      text.slice(0, at) +
        this.#pick(['"', '}', ']', ',', ':', 'x', '\\', '\u0001', '-', '0', '\n ', 'é', '😀', '\ufeff']) +
        text.slice(at),
      text.slice(0, at) + text.slice(at + 1),
      `${text}${this.#pick(['x', '{}', ',', ' ', '\n'])}`,
    ])
  }

  /** One value of the tree replaced, left out, or there twice. */
  #mutate(tree: Tree): string {
    const places = count(tree)
    let at = 1 + this.#draw(places - 1)
    const wrong = this.#pick([
      ...['null', '1', '-1', '1.5', '"x"', '[]', '{}', 'true', '[1]', '{"a":1}', '""'],
      '',
    ])
    const twice = this.#one(6)
    const space = this.#pick(['', '', ' ', '\n  '])
    const write = (node: Tree): string => {
      if (--at === -1) return wrong
      if (node.kind === 'array') return `[${node.items.map(write).filter(Boolean).join(`,${space}`)}]`
      if (node.kind !== 'object') return node.kind === 'string' ? JSON.stringify(node.text) : node.text
      const members = node.members.flatMap(([key, value]) => {
        const hit = at === 0
        const text = write(value)
        if (text === '') return []
        const one = `${JSON.stringify(key)}:${space}${text}`
        return hit && twice ? [one, one] : [one]
      })
      return `{${members.join(`,${space}`)}}`
    }
    return write(tree)
  }

  // ---- drawing ----------------------------------------------------------------------------------------

  #pick<T>(list: readonly T[]): T {
    return list[this.#draw(list.length)] as T
  }

  /** True once in `times`. */
  #one(times: number): boolean {
    return this.#draw(times) === times - 1
  }

  #list(length: number, make: () => string): string {
    return `[${Array.from({ length }, make).join(',')}]`
  }

  #object(names: readonly string[], make: () => string): string {
    const chosen = new Set(Array.from({ length: this.#draw(4) }, () => this.#pick(names)))
    return `{${[...chosen].map((name) => `${JSON.stringify(name)}:${make()}`).join(',')}}`
  }
}

function idOf(step: Tree): string[] {
  const id = step.kind === 'object' ? step.members.find(([key]) => key === 'id')?.[1] : undefined
  return id?.kind === 'string' ? [id.text] : []
}

function count(tree: Tree): number {
  if (tree.kind === 'array') return 1 + tree.items.reduce((sum, item) => sum + count(item), 0)
  if (tree.kind === 'object') return 1 + tree.members.reduce((sum, [, value]) => sum + count(value), 0)
  return 1
}
