import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readJunit } from '../src/junit.js';

function check(xml, expectedPaths, expectedBroken) {
  const { cases, broken } = readJunit(xml);
  assert.deepEqual(cases.map(({ path }) => path.join(' > ')), expectedPaths);
  assert.equal(broken, expectedBroken);
}

test('suites give their names to what lies in them', () => {
  check(
    '<?xml version="1.0"?>\n<testsuites>\n<testsuite name="a" tests="2"><testsuite name="b"><testcase name="one"/>' +
      "</testsuite><testcase name='two'></testcase></testsuite><!-- tests 3 -->" +
      '<testcase name="three"/></testsuites>\n',
    ['a > b > one', 'a > two', 'three'],
  );
  check('\ufeff<testsuite name="a"><testcase/></testsuite>', ['a > ']);
});

test('failures and skips are told with their words', () => {
  const { cases } = readJunit(
    '<testsuites><testcase name="a"><skipped type="todo" message="later"/><failure type="testCodeFailure" ' +
      'message="1 &lt; 2 &amp;&#x21;">\nat &lt;anonymous>\n<![CDATA[<&amp;>]]>\n</failure></testcase></testsuites>',
  );
  assert.deepEqual(cases, [
    {
      path: ['a'],
      failures: [{ message: '1 < 2 &!', text: 'at <anonymous>\n<&amp;>' }],
      skipped: { type: 'todo', message: 'later' },
    },
  ]);
});

test('only references of XML itself are resolved', () => {
  const name = '&quot;&apos;&gt;&#233;&#x1F600; &unknown; &#x110000; & &amp;lt; &LT;';
  check(`<testsuites><testcase name="${name}"/></testsuites>`, [`"'>é😀 &unknown; &#x110000; & &lt; &LT;`]);
  check('<!DOCTYPE a [<!ENTITY b "c">]><testsuites><testcase name="&b;"/></testsuites>', ['&b;']);
});

test('what breaks off keeps what was whole', () => {
  const two = '<testcase name="one"/><testcase name="two"><failure>x</failure></testcase>';
  const whole = `<testsuites><testsuite name="a">${two}`;
  const expected = ['a > one', 'a > two'];
  const three = '<testcase name="three"';
  for (const rest of ['', '<testcase name="thr', three, `${three}><failure>`, '<!-- ', '<']) {
    check(whole + rest, expected, 'the report ends too early');
  }
  const misplaced = `the report has </testsuites> where it does not belong at character ${whole.length}`;
  check(`${whole}</testsuites>`, expected, misplaced);
});

test('what is no JUnit is said to be none', () => {
  check('', [], 'the report ends too early');
  check('oops', [], 'the report has text where an element is expected');
  check('<html></html>', [], 'the report has <html> where <testsuites> is expected');
  check('<testsuites a></testsuites>', [], 'the report has an attribute without a value at character 12');
  check('<testsuites></testsuites><testsuites/>', [], 'the report has <testsuites> where <testsuites> is expected');
});

test('depth and length cost nothing but their size', () => {
  const depth = 10_000;
  check(`<testsuites>${'<x>'.repeat(depth)}${'</x>'.repeat(depth)}</testsuites>`, []);
  const message = 'x'.repeat(4 << 20);
  const { cases } = readJunit(`<testsuites><testcase name="a"><failure message="${message}"/></testcase></testsuites>`);
  assert.equal(cases[0].failures[0].message.length, message.length);
});
