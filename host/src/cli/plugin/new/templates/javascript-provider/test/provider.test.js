import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';

import { info } from '../src/info.js';
import { Provider } from '../src/provider.js';

const root = mkdtempSync(join(tmpdir(), 'provider-test-'));
after(() => rmSync(root, { recursive: true, force: true }));
process.env.TMPDIR = root;

// What offload does for a plugin that was granted `sh`.
function capture({ argv: [program, ...args] }) {
  const { status, signal, stdout, stderr } = spawnSync(program, args);
  const exit = signal === null ? { tag: 'code', val: status } : { tag: 'signal', val: signal };
  return { exit, stdout, stderr };
}

const printed = [];
const run = (command) => {
  const { exit, stdout } = capture(command);
  printed.push(stdout.toString());
  return exit;
};

const project = join(root, 'project');
const provider = new Provider({ working_dir: project }, { capture, run });
let number = 0;

function create(copyDirs = []) {
  number += 1;
  return provider.create({ name: `sandbox-${number}`, slot: 0, runId: 'r1', env: [], copyDirs, isolated: true });
}

function exec(sandbox, argv, { env = [], cwd } = {}) {
  const exit = provider.exec(sandbox, { argv, env, cwd }, undefined);
  return { exit, printed: printed.pop() };
}

function left() {
  return readdirSync(root).filter((name) => name.startsWith('offload-'));
}

beforeEach(() => {
  rmSync(project, { recursive: true, force: true });
  spawnSync('mkdir', ['-p', join(project, 'sub')]);
  writeFileSync(join(project, 'file'), 'as it was');
});

test('a sandbox has its own copy of the working directory, and a place to write to', () => {
  const { sandbox, scratchRoot } = create();
  assert.deepEqual(exec(sandbox, ['sh', '-c', 'cat file; echo changed >file']), {
    exit: { tag: 'code', val: 0 },
    printed: 'as it was',
  });
  assert.equal(readFileSync(join(project, 'file'), 'utf8'), 'as it was');
  assert.ok(existsSync(scratchRoot));
  provider.destroy([sandbox]);
});

test('no word of a command is read as shell text', () => {
  const { sandbox } = create();
  const words = ["it's", '$HOME', '`id`', '*', '', 'a\nb', '-n', 'é'];
  const { printed } = exec(sandbox, ['printf', '%s\\0', ...words]);
  assert.deepEqual(printed.split('\0').slice(0, -1), words);
  provider.destroy([sandbox]);
});

test('a command has its variables, its directory and its exit code', () => {
  const { sandbox } = create();
  const command = ['sh', '-c', 'printf "%s" "$NAME"; pwd; exit 7'];
  const { exit, printed } = exec(sandbox, command, { env: [['NAME', "it's $HOME"]], cwd: 'sub' });
  assert.deepEqual(exit, { tag: 'code', val: 7 });
  assert.match(printed, /^it's \$HOME.*\/work\/sub\n$/);
  provider.destroy([sandbox]);
});

test('directories are brought along', () => {
  const { sandbox } = create([{ local: join(project, 'sub/..'), remote: 'new/copy' }]);
  assert.equal(exec(sandbox, ['cat', 'new/copy/file']).printed, 'as it was');
  provider.destroy([sandbox]);
  assert.throws(() => create([{ local: '/no such directory', remote: 'x' }]), { code: 'create-failed' });
  assert.deepEqual(left(), [], 'what could not be made whole is gone');
});

test('files are brought back, and those that are not there are named', () => {
  const { sandbox } = create();
  const files = ['file', 'none', '-dash'].map((remote) => ({ remote, local: join(root, `local ${remote}`) }));
  assert.deepEqual(provider.download(sandbox, files), ['none', '-dash']);
  assert.equal(readFileSync(files[0].local, 'utf8'), 'as it was');
  provider.destroy([sandbox]);
});

test('nothing is left of a sandbox that is destroyed, and once more is no failure', () => {
  const { sandbox } = create();
  exec(sandbox, ['sh', '-c', 'mkdir locked && touch locked/file && chmod 500 locked']);
  provider.destroy([sandbox]);
  provider.destroy([sandbox]);
  assert.deepEqual(left(), []);
});

test('what is none of its sandboxes is refused', () => {
  const own = 'offload-@NAME@-r1';
  for (const id of ['', '/', '/home/me', own, `/${own}/..`, `/${own}/`, `/../${own}`]) {
    assert.throws(() => provider.destroy([id]), { code: 'unknown-sandbox' }, id);
  }
  assert.throws(() => provider.create({ name: '/../x', runId: 'r1', copyDirs: [] }), { code: 'create-failed' });
});

test('describes each of its settings', () => {
  for (const [key, { description }] of Object.entries(JSON.parse(info.settingsSchema).properties)) {
    assert.ok(description, key);
  }
});
