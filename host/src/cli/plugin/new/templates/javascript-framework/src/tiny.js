// An adapter for a test runner called tiny: `tiny list` prints its tests, one a line. `tiny run -` runs those that are
// named on its standard input, and prints `begin NAME` before each and `ok NAME` or `FAILED NAME: why` after it.
//
// A framework starts nothing and reads no file. It says which command to run, is told what came of it, and says what
// that means. So everything here is plain functions over plain data, and `node --test` runs it without offload.

export class Tiny {
  constructor({ program = 'tiny' }) {
    this.program = program;
  }

  // Called with no finished runs first, and then again with what became of the command that it asked for. Ids are not
  // empty, there once each, and without NUL: anything else offload refuses.
  discover(paths, previous) {
    const run = previous.at(-1);
    if (run === undefined) {
      return { tag: 'run', val: plan([this.program, 'list']) };
    }
    const { exit, stdout, stderr } = run.output;
    if (exit.tag !== 'code' || exit.val !== 0) {
      const said = text(stderr).trim() || 'it said nothing';
      throw failure('discovery-failed', `tiny could not list its tests: ${said}`, 'run `tiny list` by hand');
    }
    const names = [...new Set(lines(stdout).filter((name) => name !== ''))];
    if (names.some((name) => name.includes('\0'))) {
      throw failure('discovery-failed', '`tiny list` printed something else than a list of tests', 'run it by hand');
    }
    const wanted = paths.length === 0 ? names : names.filter((name) => paths.includes(name));
    return { tag: 'found', val: { tests: wanted.map(test), problems: [], deselected: [] } };
  }

  // One command that runs exactly these tests. What may be long, such as their names, goes to its standard input.
  runCommand(tests) {
    const names = tests.map(({ id }) => `${id}\n`).join('');
    return plan([this.program, 'run', '-'], new TextEncoder().encode(names));
  }

  // What is known of each test. One of which nothing is known gets no outcome: offload hands it out again, rather than
  // take it for green.
  parseResults(tests, run) {
    const printed = lines(run.output.stdout);
    return tests.map(({ id }) => outcome(id, printed)).filter((outcome) => outcome !== undefined);
  }
}

function outcome(id, printed) {
  if (printed.includes(`ok ${id}`)) {
    return { ...unknown, id, status: 'passed' };
  }
  const failed = `FAILED ${id}: `;
  const line = printed.find((line) => line.startsWith(failed));
  if (line !== undefined) {
    return { ...unknown, id, status: 'failed', message: line.slice(failed.length) };
  }
  if (printed.includes(`begin ${id}`)) {
    // It had begun and not ended when its process did: whether it crashed or was too slow is for offload to say.
    return { ...unknown, id, status: 'running' };
  }
  return undefined;
}

// What every outcome has; fields that are left out are absent.
const unknown = { duration: 0, properties: [] };

function test(name) {
  return { id: name, tags: [], skipped: false, stage: 0 };
}

// A command, what its standard input is, and the files to bring back: those that are the attempt's own begin with
// `context.scratch`. What is printed is kept up to a MiB at each end, so what may be longer belongs into such a file.
function plan(argv, stdin = new Uint8Array()) {
  return { command: { argv, env: [] }, stdin, resultFiles: [] };
}

function failure(code, message, help) {
  return { code, message, help, retryable: false };
}

function lines(bytes) {
  return text(bytes).split('\n');
}

function text(bytes) {
  return new TextDecoder().decode(bytes);
}
