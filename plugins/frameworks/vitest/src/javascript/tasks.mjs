// What the reporter (in vitest itself) and the runner (in each of its workers) have in common: what was asked for, the
// journal, and what tests are called. It stands in front of both.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
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

/** Writes records to the journal, at once: the process may be gone the next moment. */
function tell(records) {
  const whole = (_, value) => (typeof value === "string" ? value.replace(/\p{Cs}/gu, "\ufffd") : value);
  const lines = records.map((record) => `${stringify([request.nonce, record], whole)}\n`);
  appendFileSync(`${prefix}journal.jsonl`, lines.join(""));
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
  return { finished: { id, task: test?.id, at: clock(), status, duration, ...why } };
}

/** The record of a test that passed or failed. */
function verdict(id, test) {
  const { state, errors = [] } = test.result;
  return state === "pass" ? finished(id, test, "passed") : finished(id, test, "failed", story(errors));
}

function skip(id, test) {
  return finished(id, test, "skipped", { message: test.result?.note });
}

/** The record of a test that came to nothing for what is not its own doing, or that is not there. */
function failure(id, test, errors) {
  return finished(id, test, "error", story(errors ?? [{ message: "the file has no such test where it was to run" }]));
}
