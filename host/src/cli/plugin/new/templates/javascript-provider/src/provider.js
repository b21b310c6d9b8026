// Sandboxes that are directories of this machine: each holds `work`, a copy of the working directory in which commands
// run, and `scratch`, for what offload itself writes there.
//
// Processes are started by offload, which hands `capture` and `run` in: they need a grant, and tests give their own.

import * as scripts from './scripts.js';

export class Provider {
  constructor({ working_dir: workingDir }, { capture, run }) {
    this.workingDir = workingDir;
    this.capture = capture;
    this.run = run;
  }

  // Once in a run, before the first sandbox: the place to build or find an image.
  prepare() {
    return {};
  }

  // The id is the directory: all that later calls have to know.
  create({ name, runId, copyDirs }) {
    const directory = `${PREFIX}${runId}-${name}`;
    if (directory.includes('/')) {
      throw failure('create-failed', `${JSON.stringify(directory)} cannot be the name of a directory`);
    }
    const made = this.capture(scripts.create(directory, this.workingDir, copyDirs), nothing);
    // What could not be made whole was removed again by the script: nobody else would know of it.
    expect(made, 'create-failed', `the directory of ${name} could not be made`);
    const sandbox = text(made.stdout).trimEnd();
    return { sandbox, scratchRoot: `${sandbox}/scratch` };
  }

  // `run` connects the command with the streams that offload holds: its output never comes through here.
  exec(sandbox, command, stdio) {
    return this.run(scripts.exec(known(sandbox), command), stdio);
  }

  // The processes are children of offload, which has ended them when it calls this. Where commands run elsewhere, this
  // ends what `execId` began; one that has ended is no failure.
  cancel() {}

  // Returns the paths in the sandbox that do not exist. A provider with no way of its own to copy files throws the code
  // 'no-download': offload has each file printed by `exec` then.
  download(sandbox, files) {
    const copied = this.capture(scripts.download(known(sandbox), files), nothing);
    expect(copied, 'download-failed', 'result files could not be copied');
    const missing = text(copied.stdout).split('\n').filter((line) => line !== '');
    return missing.map((position) => files[position]?.remote).filter((remote) => remote !== undefined);
  }

  // One that is already gone is no failure.
  destroy(sandboxes) {
    if (sandboxes.length > 0) {
      const removed = this.capture(scripts.destroy(sandboxes.map(known)), nothing);
      expect(removed, 'destroy-failed', 'directories of sandboxes could not be removed');
    }
  }
}

const PREFIX = 'offload-@NAME@-';

const nothing = new Uint8Array();

// An id that is none of ours is refused: its directory is going to be removed.
function known(sandbox) {
  const steps = sandbox.split('/');
  if (!sandbox.startsWith('/') || !steps.at(-1).startsWith(PREFIX) || steps.includes('..')) {
    throw failure('unknown-sandbox', `${JSON.stringify(sandbox)} is none of the sandboxes of @NAME@`);
  }
  return sandbox;
}

function expect({ exit, stderr }, code, message) {
  if (exit.tag !== 'code' || exit.val !== 0) {
    const said = text(stderr).trim() || `sh ended with ${exit.tag} ${exit.val} and said nothing`;
    throw failure(code, `${message}: ${said}`);
  }
}

function failure(code, message, help) {
  return { code, message, help, retryable: false };
}

function text(bytes) {
  return new TextDecoder().decode(bytes);
}
