// Runs in the processes that run the tests: the only place that can keep to some of the tests of a file, and that knows at
// any moment which of them is under way.
const index = await import(request.index);
const Base = index.TestRunner ?? (await import(request.runners)).VitestTestRunner;

/** How much is kept of what a test prints. */
const PRINTED_LIMIT = 64 * 1024;

// Of two sandboxes on one machine each has a number of its own, as two workers of one vitest have.
const { OFFLOAD_SLOT } = process.env;
if (OFFLOAD_SLOT !== undefined) {
  process.env.VITEST_POOL_ID = String(Number(OFFLOAD_SLOT) + 1);
}

export default class Runner extends Base {
  /** What is to be done with the file that is loaded next. */
  #task;
  /** Of each test that was asked for and is not over, its id. */
  #ids = new Map();
  /** Of each suite with tests to run, how many of them are not over, and which was over last. */
  #suites = new Map();
  /** A test that passed while hooks that follow it are not over: its id and what will be said of it. */
  #held = new Map();
  #printed = new Map();
  #stopListening = () => {};

  async onBeforeCollect(paths) {
    await super.onBeforeCollect?.(paths);
    this.#task = readTask();
    this.#listen();
  }

  async onCollected(files) {
    await super.onCollected?.(files);
    for (const file of files) {
      if (this.#task.units) {
        this.#choose(file, this.#task.units[unitOf(file)] ?? []);
      } else if (!this.#task.hasty || !ownErrors(file)) {
        tell(findings(file, this.config));
      }
    }
    if (!this.#task.units) {
      this.#stopListening();
    }
  }

  async onBeforeRunTask(test) {
    await super.onBeforeRunTask?.(test);
    const id = this.#ids.get(test);
    if (id !== undefined && isOn(test)) {
      tell([{ started: { id, at: clock() } }]);
    }
  }

  async onAfterRunTask(test) {
    await super.onAfterRunTask?.(test);
    const id = this.#ids.get(test);
    if (id === undefined) {
      return;
    }
    this.#ids.delete(test);
    for (const suite of suitesAround(test)) {
      this.#suites.get(suite).left -= 1;
      this.#suites.get(suite).last = { id, test };
    }
    const printed = this.#printed.get(test.id);
    this.#printed.delete(test.id);
    const records = [...reruns(id, test), verdict(id, test, printed)];
    if (test.result.state === "pass" && this.#isClosing(suitesAround(test)[0])) {
      this.#held.set(id, records);
    } else {
      tell(records);
    }
  }

  async onAfterRunSuite(suite) {
    await super.onAfterRunSuite?.(suite);
    const { last } = this.#suites.get(suite) ?? {};
    const errors = ownErrors(suite);
    const held = last && this.#held.get(last.id);
    if (!held) {
      if (errors && last?.test.result.state === "pass") {
        tell([strayOf("failed hook", errors, suite.file)]);
      }
      return;
    }
    if (errors) {
      // Its tests passed before its last hooks failed: then that is an error of the last one.
      held.splice(0, held.length, failure(last.id, last.test, errors));
    }
    if (!this.#isClosing(suite) || suite === suite.file || !this.#isClosing(suite.suite ?? suite.file)) {
      this.#release(last.id);
    }
  }

  #release(id) {
    const records = this.#held.get(id);
    this.#held.delete(id);
    tell(records);
  }

  /** Whether only its last hooks can still run. */
  #isClosing(suite) {
    return this.#suites.get(suite)?.left === 0;
  }

  async onAfterRunFiles(files) {
    this.#stopListening();
    [...this.#held.keys()].forEach((id) => this.#release(id));
    for (const file of files) {
      tell([...this.#rest(file), { over: { unit: unitOf(file) } }]);
    }
    await super.onAfterRunFiles?.(files);
  }

  /** Has only the tests run that were asked for; a file of which all were is left as it is. */
  #choose(file, ids) {
    const tests = testsOf(file, ids);
    const wanted = ids.filter((id) => tests.has(id));
    for (const id of wanted) {
      const test = tests.get(id);
      this.#ids.set(test, id);
      for (const suite of isOn(test) ? suitesAround(test) : []) {
        this.#suites.set(suite, { left: (this.#suites.get(suite)?.left ?? 0) + 1 });
      }
    }
    const chosen = new Set(wanted.map((id) => tests.get(id)));
    if ([...testsIn(file)].some((test) => isOn(test) && !chosen.has(test))) {
      keepOnly(file, chosen);
      // What is left out is none of our business, empty files and suites included.
      this.config.passWithNoTests = true;
    }
    const missing = ids.filter((id) => !tests.has(id));
    tell([{ collected: { unit: unitOf(file) } }, ...missing.map((id) => failure(id, undefined, ownErrors(file)))]);
  }

  /** What can only be said of the tests of a file when all of it is over: why they did not run. */
  #rest(file) {
    const records = [];
    for (const test of testsIn(file)) {
      const id = this.#ids.get(test);
      if (id === undefined) {
        continue;
      }
      const errors = suitesAround(test).map(ownErrors).find((errors) => errors);
      if (test.result?.state === "fail") {
        records.push(verdict(id, test, this.#printed.get(test.id)));
      } else if (errors) {
        records.push(failure(id, test, errors));
      } else if (!isOn(test)) {
        records.push(skip(id, test));
      }
    }
    return records;
  }

  /** Keeps what each test prints: vitest itself hears of it later than of the end of the test. */
  #listen() {
    const streams = Object.entries({ stdout: console._stdout, stderr: console._stderr });
    const own = streams.filter(([name, stream]) => stream && stream !== process[name]);
    for (const [name, stream] of own) {
      const { write } = stream;
      stream.write = (data, ...rest) => {
        this.#keep(name, String(data));
        return write.call(stream, data, ...rest);
      };
    }
    this.#stopListening = () => {
      // The method of its class is in its place again.
      own.forEach(([, stream]) => delete stream.write);
      this.#stopListening = () => {};
    };
  }

  #keep(name, text) {
    const id = this.workerState?.current?.id;
    if (id === undefined) {
      return;
    }
    const kept = this.#printed.get(id) ?? { stdout: "", stderr: "" };
    const room = PRINTED_LIMIT - kept.stdout.length - kept.stderr.length;
    kept[name] += text.slice(0, Math.max(room, 0));
    this.#printed.set(id, kept);
  }
}

/** Leaves all other tests out, and the suites that have none of these; whether there are any. */
function keepOnly(suite, tests) {
  let isKept = false;
  for (const task of suite.tasks) {
    const isOne = isOn(task) && (task.tasks ? keepOnly(task, tests) : tests.has(task));
    if (!isOne && isOn(task)) {
      task.mode = "skip";
    }
    isKept ||= isOne;
  }
  if (!isKept && suite.filepath) {
    suite.mode = "skip";
  }
  return isKept;
}

/** The attempts at a test that failed before vitest itself tried again. */
function reruns(id, test) {
  const { retryCount = 0, errors = [] } = test.result;
  const isFailed = test.result.state === "fail";
  return Array.from({ length: retryCount }, (_, number) => {
    // Vitest keeps the errors of all attempts in a row, mostly one of each.
    const own = errors[number] ?? errors.at(-1) ?? { message: isFailed ? "failed" : "failed, and passed later" };
    return { finished: { id, at: clock(), status: "rerun", duration: 0, ...story([own]) } };
  });
}
