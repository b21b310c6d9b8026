// The scripts that run in node, with suites of all kinds, held against what `node --test` itself does with them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';

import * as discovery from '../src/discovery.js';
import * as running from '../src/running.js';

const root = mkdtempSync(join(tmpdir(), 'node-test-'));
after(() => rmSync(root, { recursive: true, force: true }));

function suite(name, files) {
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return { directory: join(root, name), scratch: join(root, `${name}-`) };
}

// What offload does with a plan.
function carryOut({ command, stdin, resultFiles }, directory) {
  const [program, ...args] = command.argv;
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: directory, input: stdin });
  const files = resultFiles.map((path) => ({ path, contents: existsSync(path) ? readFileSync(path) : undefined }));
  return { output: { exit: { tag: 'code', val: status }, stdout, stderr }, files };
}

function find({ directory, scratch }, settings = {}) {
  const { tests } = discovery.read(carryOut(discovery.plan(settings, { scratch }, []), directory));
  return tests.map(({ id }) => id);
}

function judge({ directory, scratch }, ids) {
  const tests = ids.map((id) => ({ id }));
  const outcomes = running.outcomes(tests, carryOut(running.plan({}, { scratch }, tests), directory));
  assert.deepEqual(outcomes.map(({ id }) => id), ids);
  return outcomes;
}

// Whether `node --test` takes a file for good.
function isGood(directory, file) {
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT;
  return spawnSync(process.execPath, ['--test', join(directory, file)], { env }).status === 0;
}

test('finds what node finds, and runs nothing of it', () => {
  const loud = "require('node:fs').writeFileSync(require('node:path').join(__dirname, 'was-run'), '')";
  const named = ['a.test.js', 'b-test.cjs', 'test-c.js', 'test.js', '[id].test.js', 'a b.test.js'];
  const files = [...named, 'test/deep/helper.js'];
  const others = ['plain.js', 'node_modules/x/a.test.js'];
  const project = suite('find', Object.fromEntries([...files, ...others].map((file) => [file, loud])));
  assert.deepEqual(find(project).sort(), files.toSorted());
  // From version 21 on node takes patterns, and no directories.
  const inTest = parseInt(process.versions.node) < 21 ? 'test' : 'test/**/*.js';
  assert.deepEqual(find(project, { paths: [inTest, 'plain.js'] }).sort(), ['plain.js', 'test/deep/helper.js']);
  assert.throws(() => find(project, { paths: ['none.js'] }), { code: 'discovery-failed', message: /Could not find/ });
  assert.ok(!existsSync(join(project.directory, 'was-run')));
});

const head = "const { test, describe, it, after } = require('node:test');\n";

const FILES = {
  'passes.test.js': [`${head}test('a', () => {}); describe('d', () => { it('b', () => {}) });`, 'passed'],
  '[id] {x}.test.js': [`${head}test('a', () => {});`, 'passed'],
  'plain.test.js': ["require('node:assert').ok(true);", 'passed'],
  'fails.test.js': [`${head}test('a', async (t) => { await t.test('b', () => { throw new Error('no') }) });`, 'failed'],
  'skips.test.js': [`${head}test('a', { skip: 'why' }, () => {});`, 'skipped'],
  'todo.test.js': [`${head}test.todo('a', () => { throw new Error('known') });`, 'xfailed'],
  'loads-not.test.js': ['this is no JavaScript', 'error'],
  'exits-1.test.js': [`${head}test('a', () => process.exit(3));`, 'error'],
  'dies.test.js': [`${head}test('a', () => process.kill(process.pid, 'SIGKILL'));`, 'error'],
  'late.test.js': [`${head}test('a', () => { setTimeout(() => { throw new Error('late') }, 50) });`, 'error'],
};

test('judges as node does', () => {
  const project = suite('judge', Object.fromEntries(Object.entries(FILES).map(([file, [text]]) => [file, text])));
  for (const { id, status, message } of judge(project, Object.keys(FILES))) {
    assert.equal(status, FILES[id][1], `${id}: ${message}`);
    assert.equal(isGood(project.directory, id), ['passed', 'skipped', 'xfailed'].includes(status), id);
  }
});

test('a hook that fails is no success, whatever code node ends with', () => {
  const text = `${head}describe('d', () => { after(() => { throw new Error('no room') }); it('a', () => {}) });`;
  const [{ status, message, details }] = judge(suite('hook', { 'a.test.js': text }), ['a.test.js']);
  assert.deepEqual([status, message], ['error', 'd failed outside of its tests: no room']);
  assert.match(details, /Error: no room/);
});

test('tests that process.exit() cuts off are no success, though node says so', () => {
  const cutOff = "test('a', () => {}); test('b', () => process.exit(0)); test('c', () => { throw new Error('no') });";
  const files = {
    'middle.test.js': head + cutOff,
    'done.test.js': "require('node:assert').ok(true); process.exit(0);",
  };
  const project = suite('exit', files);
  const [middle, done] = judge(project, Object.keys(files));
  assert.ok(isGood(project.directory, 'middle.test.js'));
  assert.equal(middle.status, 'error');
  assert.match(middle.message, /process\.exit\(\) ended this file before node had told of all its tests/);
  assert.equal(done.status, 'passed', 'a script without tests of node:test may end as it likes');
});

test('what tests print is told where they fail, and their time', () => {
  const project = suite('print', {
    'a.test.js': `${head}
      console.log('to stdout');
      console.error('to stderr');
      test('a', (t, done) => void setTimeout(() => done(new Error('no')), 100));`,
  });
  const [{ message, details, stdout, duration }] = judge(project, ['a.test.js']);
  assert.equal(message, 'a: no');
  assert.match(details, /Error: no/);
  assert.match(stdout, /to stdout/);
  assert.match(stdout, /to stderr/);
  assert.ok(duration > 0.1 && duration < 60, duration);
});

test('without a standard input it is told what is missing', () => {
  const { directory, scratch } = suite('stdin', { 'a.test.js': '' });
  const tests = [{ id: 'a.test.js' }];
  const plan = { ...running.plan({}, { scratch }, tests), stdin: '' };
  assert.throws(() => running.outcomes(tests, carryOut(plan, directory)), { code: 'no-stdin' });
});
