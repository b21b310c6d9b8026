// What the reporter (in vitest itself) and the runner (in the processes that run the tests) have in common: what was asked
// for, the journal, and what tests are called. It stands in front of both.
import { appendFileSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath, pathToFileURL } from "node:url";

// Tests replace whatever they can reach (spies on node:fs, fake timers), so everything is taken hold of before they run.
const { stringify } = JSON;
const milliseconds = performance.now.bind(performance);
const { timeOrigin } = performance;
const prefix = fileURLToPath(import.meta.url).replace(/[a-z]+\.mjs$/, "");
const request = JSON.parse(readFileSync(`${prefix}request.json`, "utf8"));

/** Seconds on a clock that all processes share. */
function clock() {
  return (timeOrigin + milliseconds()) / 1000;
}

/** The line of the journal that says this. */
function lineOf(record) {
  const whole = (_, value) => (typeof value === "string" ? value.replace(/\p{Cs}/gu, "\ufffd") : value);
  return `${stringify([request.nonce, record], whole)}\n`;
}

/** Writes records to the journal, at once: the process may be gone the next moment. */
function tell(records) {
  if (records.length > 0) {
    appendFileSync(`${prefix}journal.jsonl`, records.map(lineOf).join(""));
  }
}

/**
 * What is to be done with the files that vitest goes through next. `units`: the tests to run of each file; without, all are
 * to be found, `hasty` if those of many files are loaded one after the other in one process.
 */
function readTask() {
  return JSON.parse(readFileSync(`${prefix}task.json`, "utf8"));
}

/** Spells what no id can hold, and the character that it is spelled with. */
function spell(text) {
  return text.replace(/[\0\u241b]|\p{Cs}/gu, (it) => `\u241b${it.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function placeOf(path) {
  return relative(request.base, path);
}

function isOfTypes(file) {
  return file.pool === "typescript" || file.meta?.typecheck === true;
}

/** What a file is called, once for each project that has it. */
function unitOf(file) {
  const project = file.projectName ? `[${file.projectName}] ` : "";
  return spell(`${project}${placeOf(file.filepath)}${isOfTypes(file) ? " (types)" : ""}`);
}

function* testsIn(suite) {
  for (const task of suite.tasks) {
    if (task.tasks) {
      yield* testsIn(task);
    } else {
      yield task;
    }
  }
}

function* suitesIn(suite) {
  for (const task of suite.tasks.filter((task) => task.tasks)) {
    yield task;
    yield* suitesIn(task);
  }
}

/** The names of a test or suite, from the outside in, without that of its file. */
function partsOf(task) {
  const parts = [];
  for (let it = task; it && it !== it.file; it = it.suite) {
    parts.unshift(it.name);
  }
  return parts;
}

/** The tests of a file by their ids, in order. Those of the same names are counted. */
function testsById(file) {
  const unit = unitOf(file);
  const tests = new Map();
  const counts = new Map();
  for (const test of testsIn(file)) {
    const names = `${unit} > ${spell(partsOf(test).join(" > "))}`;
    let count = counts.get(names) ?? 0;
    let id;
    do {
      count += 1;
      id = count === 1 ? names : `${names} #${count}`;
    } while (tests.has(id));
    counts.set(names, count);
    tests.set(id, test);
  }
  return tests;
}

/**
 * The same for tests that were found under these ids, which are all that the file has, in order. Names that change each time
 * that the file is loaded are told by their places then.
 */
function testsOf(file, ids) {
  const tests = testsById(file);
  const isOther = ids.some((id) => !tests.has(id));
  const on = [...tests.values()].filter(isOn);
  return isOther && on.length === ids.length ? new Map(ids.map((id, place) => [id, on[place]])) : tests;
}

/** The suites that a test is in, from the inside out; the last is its file. */
function suitesAround(test) {
  const suites = [];
  for (let it = test.suite; it && it !== test.file; it = it.suite) {
    suites.push(it);
  }
  return [...suites, test.file];
}

/** Whether vitest would run it. */
function isOn(task) {
  return task.mode === "run" || task.mode === "queued";
}

/** What went wrong with a suite itself, rather than with its tests: in its hooks, or when it was collected. */
function ownErrors(suite) {
  const errors = suite.result?.state === "fail" ? suite.result.errors ?? [] : [];
  return errors.length > 0 ? errors : undefined;
}

/** Errors as a line and at length, without colours and without the frames of others. */
function story(errors) {
  const plain = (text) => String(text ?? "").replace(/\x1b\[[0-9;]*m/g, "");
  const isForeign = (line) => /^\s+at .*(\/node_modules\/|node:internal)/.test(line);
  const atLength = (error) => {
    const said = `${error.name ?? "Error"}: ${plain(error.message)}`;
    const stack = plain(error.stack ?? error.stackStr);
    const frames = stack.split("\n").filter((line) => /^\s+at /.test(line) && !isForeign(line));
    return [said, ...(error.diff ? ["", plain(error.diff), ""] : []), ...frames].join("\n");
  };
  return {
    message: plain(errors[0]?.message ?? errors[0]).trim().split("\n")[0],
    details: errors.map((error) => (error?.message === undefined ? plain(error) : atLength(error))).join("\n\n"),
  };
}

/** The records of what is in a file that was collected. */
function findings(file, { passWithNoTests }) {
  const unit = unitOf(file);
  const collected = { collected: { unit } };
  const problem = (id, errors) => ({ problem: { id, ...story(errors) } });
  const errors = ownErrors(file);
  if (errors) {
    return [problem(unit, errors), collected];
  }
  const isEmpty = (suite) => !passWithNoTests && testsIn(suite).next().done;
  if (isEmpty(file)) {
    return [problem(unit, [{ message: "no test found in the file" }]), collected];
  }
  // Vitest fails a suite without tests when its turn comes, and here no turn comes.
  const empty = [...suitesIn(file)].filter((suite) => isOn(suite) && isEmpty(suite));
  const complaints = empty.map((suite) => ({ message: `no test found in the suite "${partsOf(suite).join(" > ")}"` }));
  const tests = [...testsById(file)].map(([id, test]) => ({
    test: {
      id,
      unit,
      file: placeOf(file.filepath),
      line: test.location?.line,
      name: partsOf(test).join(" > "),
      tags: test.tags ?? [],
      skipped: !isOn(test),
    },
  }));
  return [...tests, ...(complaints.length > 0 ? [problem(unit, complaints)] : []), collected];
}

function finished(id, test, status, why) {
  const duration = (test?.result?.duration ?? 0) / 1000;
  return { finished: { id, at: clock(), status, duration, ...why } };
}

/** The record of a test that passed or failed, and what it printed. */
function verdict(id, test, printed) {
  const { state, errors = [] } = test.result;
  return state === "pass"
    ? finished(id, test, "passed", printed)
    : finished(id, test, "failed", { ...story(errors), ...printed });
}

function skip(id, test) {
  return finished(id, test, "skipped", { message: test.result?.note });
}

/** The record of a test that came to nothing for what is not its own doing, or that is not there. */
function failure(id, test, errors) {
  return finished(id, test, "error", story(errors ?? [{ message: "the file has no such test where it was to run" }]));
}

/** The records of what became of tests that vitest itself has run. */
function judge(file, ids) {
  const tests = testsById(file);
  const record = (id) => {
    const test = tests.get(id);
    const isOver = ["pass", "fail"].includes(test?.result?.state);
    return isOver ? verdict(id, test) : test && !isOn(test) ? skip(id, test) : failure(id, test, ownErrors(file));
  };
  return [{ collected: { unit: unitOf(file) } }, ...ids.map(record)];
}

/** The records of errors that nobody caught, but for those that came of a test which failed. */
function unhandled(errors, vitest) {
  const { root, dangerouslyIgnoreUnhandledErrors } = vitest.config;
  return (dangerouslyIgnoreUnhandledErrors ? [] : errors).flatMap((error) => {
    const { VITEST_TEST_PATH: path, VITEST_TEST_NAME: name } = error ?? {};
    const filepath = path && resolve(root, path);
    const files = vitest.state.getFiles().filter((file) => file.filepath === filepath);
    const isIt = (test) => test.name === name || partsOf(test).join(" > ") === name;
    const isFailed = (test) => isIt(test) && test.result?.state === "fail";
    const isTold = files.some((file) => [...testsIn(file)].some(isFailed));
    return isTold ? [] : [strayOf("unhandled error", [error], filepath && { filepath }, name)];
  });
}

/** The record of errors that fail vitest and no test. */
function strayOf(what, errors, file, test) {
  return { stray: { what, ...story(errors), file: file && placeOf(file.filepath), test } };
}
