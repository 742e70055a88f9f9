// Tests of the template: nothing that is put into it becomes markup.

import t from 'tap'
import { attack } from '../testing/hostile.ts'
import { escapeHtml, html, raw, scriptJson } from './html.ts'

t.test('escapes every value, and no markup of its own', async (t) => {
  t.equal(html`<p title="${'"&<\''}">${'<b>'}</p>`.text, '<p title="&quot;&amp;&lt;&#39;">&lt;b&gt;</p>')
  t.equal(
    html`<ul>${['a', 'b<'].map((item) => html`<li>${item}</li>`)}</ul>`.text,
    '<ul><li>a</li><li>b&lt;</li></ul>',
  )
  t.equal(html`${raw('<hr>')}`.text, '<hr>')
})

t.test('writes numbers, and nothing for what is not there', async (t) => {
  t.equal(html`${0}|${false}|${null}|${undefined}|${''}`.text, '0||||')
})

t.test('shows control and direction characters as what they are: not text', async (t) => {
  t.equal(escapeHtml('a\u0000b\u202ec\ud800d\u2066e\nf'), 'a\ufffdb\ufffdc\ufffdd\ufffde\nf')
  t.notMatch(escapeHtml(attack), /[<>"'\u0000-\u0009\u202e]/)
})

t.test('JSON in a script element cannot end it, and is read back as it was', async (t) => {
  const value = { [attack]: [attack, 1, null] }
  const { text } = scriptJson(value)
  t.notMatch(text, /[<>&\u2028\u2029\ufffe]/)
  t.strictSame(JSON.parse(text), value)
})
