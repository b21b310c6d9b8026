// What became of a file: the worst of its tests, unless node itself says worse.
//
// The exit code and what failed by node's own account count as much as the report: a hook that fails leaves no trace in
// node's JUnit, and a failing todo, which leaves one, is none.

import { readJunit } from './junit.js';
import { records } from './records.js';

const MOST_MESSAGE = 500;

// Status, message and details. `ended` is a record of the journal: see in-node/run.js.
export function verdict(file, ended) {
  const { cases, broken } = readReport(ended);
  const failing = cases.filter((test) => test.failures.length > 0 && test.skipped?.type !== 'todo');
  if (failing.some((test) => !isFile(test, file))) {
    return failed(failing, cases.length, ended);
  }
  const complaint = failing.length > 0 ? ofProcess(failing[0], ended) : wrong(ended, cases, broken);
  return complaint === undefined ? good(cases) : { status: 'error', message: complaint, details: said(ended) };
}

function readReport({ junit }) {
  return typeof junit === 'string' ? readJunit(junit) : { cases: [], broken: 'there is no report' };
}

// Node reports a file as a test of the file's path where it ended otherwise than its tests did.
function isFile({ path }, file) {
  return path.length === 1 && (path[0] === file || path[0].endsWith(`/${file}`));
}

function ofProcess({ failures: [{ text, message }] }, { output }) {
  const signal = /\bsignal: '(\w+)'/.exec(text)?.[1];
  const code = /\bexitCode: (\d+)/.exec(text)?.[1];
  if (signal !== undefined) {
    return `its process was killed by ${signal}`;
  }
  const how = code === undefined ? `the file failed: ${message}` : `its process ended with exit code ${code}`;
  // What nobody caught is told at the beginning of a line, and what a test did further in.
  const [uncaught] = /^(?:Uncaught )?\w*Error\b.*$/m.exec(output) ?? [];
  return (uncaught === undefined ? how : `${how}: ${uncaught}`).slice(0, MOST_MESSAGE);
}

// Why a file without a failing test is no success, if it is none.
function wrong({ code, signal, error, failures }, cases, broken) {
  if (typeof error === 'string') {
    return `node could not be started: ${error}`;
  }
  const how = typeof signal === 'string' ? `was killed by ${signal}` : `ended with exit code ${code}`;
  if (broken !== undefined) {
    return `node ${how}, and ${broken}`;
  }
  const [first] = records(failures);
  if (first !== undefined) {
    return `${first.name} failed outside of its tests: ${first.message}`.slice(0, MOST_MESSAGE);
  }
  if (code !== 0) {
    return `node ${how} and no test failed: something went wrong after the tests`;
  }
  return cases.length === 0 ? 'node reported nothing of this file' : undefined;
}

function failed(failing, total, ended) {
  const [first] = failing;
  const line = first.failures[0].message.split('\n', 1)[0];
  const more = failing.length > 1 ? ` (and ${failing.length - 1} more of ${total} tests)` : '';
  const details = failing.map((test) => `${name(test)}:\n${test.failures.map(({ text }) => text).join('\n')}`);
  return {
    status: 'failed',
    message: `${name(first)}: ${line}`.slice(0, MOST_MESSAGE) + more,
    details: details.join('\n\n'),
    stdout: said(ended),
  };
}

// A file is skipped where all that it has was; what is marked as todo counts as that, if it does not fail.
function good(cases) {
  if (cases.some((test) => test.skipped === undefined)) {
    return { status: 'passed' };
  }
  const { type, message } = cases[0].skipped;
  // What node writes where no reason was given.
  const reason = message === 'true' ? undefined : message;
  const knownToFail = cases.some((test) => test.failures.length > 0);
  return { status: knownToFail ? 'xfailed' : 'skipped', message: reason ?? (type === 'todo' ? 'todo' : undefined) };
}

function name({ path }) {
  return path.join(' > ').replaceAll('\n', ' ');
}

function said({ output }) {
  return typeof output === 'string' && output.trim() !== '' ? output.trimEnd() : undefined;
}
