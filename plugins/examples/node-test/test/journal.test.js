import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import * as discovery from '../src/discovery.js';
import { info } from '../src/info.js';
import * as running from '../src/running.js';

const context = { scratch: '/s/1-' };
const bytes = (text) => new TextEncoder().encode(text);

function finished(contents, { exit = { tag: 'code', val: 0 }, stderr = '' } = {}) {
  const files = [{ path: 'x', contents: contents === undefined ? undefined : bytes(contents) }];
  return { output: { exit, stdout: bytes(''), stderr: bytes(stderr) }, files };
}

test('commands are node with a script, and paths that no option can be', () => {
  const { command, resultFiles } = discovery.plan({ paths: ['test'], node_args: ['--import', 'tsx'] }, context, []);
  assert.deepEqual(command.argv.slice(0, 4), ['node', '--import', 'tsx', '-e']);
  assert.deepEqual(command.argv.slice(5), ['--', '/s/1-files.json', 'test']);
  assert.deepEqual(resultFiles, ['/s/1-files.json']);
  const narrowed = discovery.plan({ paths: ['test'] }, context, ['-x.js']);
  assert.deepEqual(narrowed.command.argv.slice(4), ['/s/1-files.json', '-x.js']);

  const plan = running.plan({ node_args: ['--import', 'tsx'] }, context, [{ id: 'a b' }, { id: '-c' }]);
  assert.deepEqual(plan.command.argv.slice(3), ['--', '/s/1-journal.jsonl', '/s/1-', '--import', 'tsx']);
  assert.equal(new TextDecoder().decode(plan.stdin), '["a b","-c"]');
});

test('a file is a test', () => {
  const { tests } = discovery.read(finished('["a.test.js","b.test.js","a.test.js"]'));
  assert.deepEqual(tests.map(({ id, unit, file }) => [id, unit, file]), [
    ['a.test.js', 'a.test.js', 'a.test.js'],
    ['b.test.js', 'b.test.js', 'b.test.js'],
  ]);
});

test('files that are not known are no empty list', () => {
  const message = 'node could not say which test files there are: it ended with exit code 1: Could not find x';
  const failed = finished(undefined, { exit: { tag: 'code', val: 1 }, stderr: 'Could not find x\n' });
  assert.throws(() => discovery.read(failed), { code: 'discovery-failed', message });
  for (const contents of ['', '[', '{}', '[1]', '[""]', '["a\\u0000"]', 'null']) {
    assert.throws(() => discovery.read(finished(contents)), { code: 'discovery-failed' }, contents);
  }
});

test('what the journal does not know has no outcome', () => {
  const junit = '<testsuites><testcase name="ok"/></testsuites>';
  const journal = [
    { running: 'a', seconds: 0 },
    { ended: 'a', seconds: 0.5, code: 0, signal: null, junit, output: '' },
    { running: 'b', seconds: 0 },
    { running: 'b', seconds: 7 },
  ];
  const lines = journal.map((record) => `${JSON.stringify(record)}\n`).join('');
  const outcomes = running.outcomes(['a', 'b', 'c'].map((id) => ({ id })), finished(`${lines}null\n{"ended":"c","jun`));
  assert.deepEqual(outcomes.map(({ id, status, duration }) => [id, status, duration]), [
    ['a', 'passed', 0.5],
    ['b', 'running', 7],
  ]);
  assert.deepEqual(running.outcomes([{ id: 'a' }], finished(undefined)), []);
});

test('standard input that did not arrive is told', () => {
  assert.throws(() => running.outcomes([{ id: 'a' }], finished('{"noStdin":true}\n')), { code: 'no-stdin' });
});

test('the plugin says of itself what its package does, and describes its settings', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  assert.equal(info.version, version);
  for (const [key, { description }] of Object.entries(JSON.parse(info.settingsSchema).properties)) {
    assert.ok(description, key);
  }
});
