// Runs in node itself, where the tests are: offload starts it as `node -e TEXT`. This function is never called in the
// component, which only hands its text over. So it stands for itself, and names nothing outside of it.

// Runs the files of a list on its standard input, one after the other, and notes what becomes of each in a journal: its
// first argument. The second begins the names of all other files that it writes; the rest is for node.
export function runFiles() {
  const { spawn } = require('node:child_process');
  const { appendFileSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
  const { resolve } = require('node:path');
  const { pathToFileURL } = require('node:url');

  // What is kept of the output of each file.
  const MOST_OUTPUT = 65536;

  const [journal, scratch, ...nodeArguments] = process.argv.slice(1);
  const note = (record) => appendFileSync(journal, JSON.stringify(record) + '\n');

  let files;
  try {
    files = JSON.parse(readFileSync(0, 'utf8'));
  } catch {
    note({ noStdin: true });
    return;
  }
  delete process.env.NODE_TEST_CONTEXT;
  const watch = scratch + 'watch.cjs';
  writeFileSync(watch, '(' + watchForExit + ')();');
  const failureReporter = scratch + 'failures.cjs';
  writeFileSync(failureReporter, 'module.exports = ' + tellFailures);

  // Node takes what is lost by process.exit(0) for a success. Its test runner waits for the event loop to be empty in a
  // listener by this name, and takes the listener away when it has told of every test.
  function watchForExit() {
    process.on('exit', (code) => {
      if (code === 0 && process.listeners('beforeExit').some(({ name }) => name === 'exitHandler')) {
        console.error('Error: process.exit() ended this file before node had told of all its tests');
        process.exitCode = 1;
      }
    });
  }

  // A reporter for what counts against a file: suites that fail by a hook are not in node's JUnit, and some versions of
  // node exit with code 0 all the same.
  async function* tellFailures(source) {
    for await (const { type, data } of source) {
      if (type === 'test:fail' && (data.todo === undefined || data.todo === false)) {
        const error = data.details?.error;
        const message = String(error?.cause?.message ?? error?.message ?? '');
        yield JSON.stringify({ name: data.name, message }) + '\n';
      }
    }
  }

  // From version 21 on node takes paths for patterns.
  function operand(file) {
    const path = resolve(file);
    return parseInt(process.versions.node) < 21 ? path : path.replace(/[?*()[\]]/g, '[$&]');
  }

  async function runFile(file, number) {
    const report = scratch + number + '.xml';
    const failures = scratch + number + '.failures';
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1000;
    const tellThatItRuns = () => note({ running: file, seconds: seconds() });
    tellThatItRuns();
    const clock = setInterval(tellThatItRuns, 1000);
    let output = '';
    const show = (stream) => (text) => {
      stream.write(text);
      output = (output + text).slice(-MOST_OUTPUT);
    };
    const { code, signal, error } = await new Promise((settle) => {
      const reporters = [
        '--test-reporter=junit',
        '--test-reporter-destination=' + report,
        '--test-reporter=' + pathToFileURL(failureReporter),
        '--test-reporter-destination=' + failures,
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
      ];
      const args = [...nodeArguments, '--require=' + watch, '--test', ...reporters, operand(file)];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      child.stdout.setEncoding('utf8').on('data', show(process.stdout));
      child.stderr.setEncoding('utf8').on('data', show(process.stderr));
      child.on('error', ({ message }) => settle({ error: message }));
      child.on('close', (code, signal) => settle({ code, signal }));
    });
    clearInterval(clock);
    const told = { junit: take(report), failures: take(failures), output };
    note({ ended: file, seconds: seconds(), code, signal, error, ...told });
  }

  // What a reporter left; undefined where it left nothing.
  function take(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    } finally {
      rmSync(path, { force: true });
    }
  }

  (async () => {
    for (const [number, file] of files.entries()) {
      await runFile(file, number);
    }
  })();
}
