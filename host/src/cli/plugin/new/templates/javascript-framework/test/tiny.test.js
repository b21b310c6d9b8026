import assert from 'node:assert/strict';
import { test } from 'node:test';

import { info } from '../src/info.js';
import { Tiny } from '../src/tiny.js';

const tiny = new Tiny({});

function finished(stdout, exit = { tag: 'code', val: 0 }, stderr = '') {
  const bytes = (text) => new TextEncoder().encode(text);
  return { output: { exit, stdout: bytes(stdout), stderr: bytes(stderr) }, files: [] };
}

const ids = (...names) => names.map((id) => ({ id }));

test('asks for the list of tests first', () => {
  const { tag, val } = new Tiny({ program: 'tiny-2' }).discover([], []);
  assert.equal(tag, 'run');
  assert.deepEqual(val.command.argv, ['tiny-2', 'list']);
});

test('finds what was listed, once each, and keeps what was asked for', () => {
  const found = (paths) => tiny.discover(paths, [finished('a\nb c\na\n')]).val.tests.map(({ id }) => id);
  assert.deepEqual(found([]), ['a', 'b c']);
  assert.deepEqual(found(['b c']), ['b c']);
});

test('says why there is no list', () => {
  const failed = finished('', { tag: 'code', val: 1 }, 'no such suite\n');
  const expected = { code: 'discovery-failed', message: 'tiny could not list its tests: no such suite' };
  assert.throws(() => tiny.discover([], [failed]), expected);
});

test('hands over names on standard input', () => {
  const { command, stdin } = tiny.runCommand(ids('a', 'b c'));
  assert.deepEqual(command.argv, ['tiny', 'run', '-']);
  assert.equal(new TextDecoder().decode(stdin), 'a\nb c\n');
});

test('tells what is known of each test, and nothing of the others', () => {
  const run = finished('begin a\nok a\nbegin b\nFAILED b: no\nbegin c\n', { tag: 'signal', val: 9 });
  const outcomes = tiny.parseResults(ids('a', 'b', 'c', 'd'), run);
  const told = outcomes.map(({ id, status, message }) => [id, status, message]);
  assert.deepEqual(told, [['a', 'passed', undefined], ['b', 'failed', 'no'], ['c', 'running', undefined]]);
});

test('describes each of its settings', () => {
  for (const [key, { description }] of Object.entries(JSON.parse(info.settingsSchema).properties)) {
    assert.ok(description, key);
  }
});
