import assert from 'node:assert/strict';
import { test } from 'node:test';

import { verdict } from '../src/verdict.js';

const FILE = 'test/a.test.js';
const PASSED = '<testcase name="ok"/>';
const FAILED = '<testcase name="no"><failure message="1 == 2">at a.test.js:3</failure></testcase>';
const SKIPPED = '<testcase name="s"><skipped type="skipped" message="true"/></testcase>';
const KNOWN = '<testcase name="t"><skipped type="todo" message="later"/><failure message="x"/></testcase>';
const ofFile = (how) =>
  `<testcase name="/w/${FILE}"><failure message="test failed">[Error: test failed] { ${how} }</failure></testcase>`;

function check(cases, { code = 0, output = '', ...rest }, status, message) {
  const junit = `<testsuites>${cases}</testsuites>`;
  const found = verdict(FILE, { code, signal: null, junit, output, ...rest });
  assert.deepEqual([found.status, found.message], [status, message]);
  return found;
}

test('a file is as bad as the worst of its tests', () => {
  check(PASSED + SKIPPED + KNOWN, {}, 'passed', undefined);
  check(PASSED + FAILED, { code: 1 }, 'failed', 'no: 1 == 2');
  check(FAILED + PASSED + FAILED, { code: 1 }, 'failed', 'no: 1 == 2 (and 1 more of 3 tests)');
  const nested = `<testsuite name="outer">${FAILED}</testsuite>`;
  const { details, stdout } = check(nested, { code: 1, output: 'printed\n' }, 'failed', 'outer > no: 1 == 2');
  assert.equal(details, 'outer > no:\nat a.test.js:3');
  assert.equal(stdout, 'printed');
});

test('what nobody ran or expected is not green', () => {
  check(SKIPPED, {}, 'skipped', undefined);
  check('<testcase name="s"><skipped type="skipped" message="not here"/></testcase>', {}, 'skipped', 'not here');
  check('<testcase name="s"><skipped type="todo" message="true"/></testcase>', {}, 'skipped', 'todo');
  check(KNOWN, {}, 'xfailed', 'later');
});

test('a file that fails by itself says how', () => {
  const ended = 'its process ended with exit code 1';
  check(ofFile('exitCode: 1, signal: null'), { code: 1 }, 'error', ended);
  const output = "/w/a.test.js:1\noops\n\nSyntaxError: Unexpected identifier 'oops'\n    at wrapSafe\n";
  const { details } = check(
    PASSED + ofFile('exitCode: 1, signal: null'),
    { code: 1, output },
    'error',
    `${ended}: SyntaxError: Unexpected identifier 'oops'`,
  );
  assert.equal(details, output.trimEnd());
  check(ofFile("exitCode: null, signal: 'SIGKILL'"), { code: 1 }, 'error', 'its process was killed by SIGKILL');
  check(FAILED + ofFile('exitCode: 1, signal: null'), { code: 1 }, 'failed', 'no: 1 == 2 (and 1 more of 2 tests)');
});

test('what the report does not tell counts against the file', () => {
  const failures = '{"name":"a suite","message":"no room"}\n{"name":"oth';
  check(PASSED, { failures }, 'error', 'a suite failed outside of its tests: no room');
  const late = 'node ended with exit code 1 and no test failed: something went wrong after the tests';
  check(PASSED, { code: 1, failures: '' }, 'error', late);
  check(KNOWN, { code: 1 }, 'error', late);
  check('', {}, 'error', 'node reported nothing of this file');
});

test('a report that is not whole is no success', () => {
  const broken = 'node ended with exit code 0, and the report ends too early';
  check('', { junit: `<testsuites>${PASSED}` }, 'error', broken);
  check('', { junit: undefined, code: 9 }, 'error', 'node ended with exit code 9, and there is no report');
  const killed = { junit: undefined, code: null, signal: 'SIGSEGV' };
  check('', killed, 'error', 'node was killed by SIGSEGV, and there is no report');
  check('', { junit: undefined, error: 'spawn ENOMEM' }, 'error', 'node could not be started: spawn ENOMEM');
  check('', { junit: `<testsuites>${FAILED}`, code: 1 }, 'failed', 'no: 1 == 2');
});
