// Runs in the processes that run the tests: the only place that can keep to some of the tests of a file, and that knows at
// any moment which of them is under way.
const runners = await import(request.runners);

export default class Runner extends (runners.VitestTestRunner ?? runners.TestRunner) {
  /** Of each test that was asked for and is not over, its id. */
  #ids = new Map();
  /** Of each suite with tests to run, how many of them are not over, and which was over last. */
  #suites = new Map();

  async onCollected(files) {
    await super.onCollected?.(files);
    for (const file of files) {
      if (request.units) {
        this.#choose(file, request.units[unitOf(file)] ?? []);
      } else {
        tell(findings(file, this.config));
        keepOnly(file, new Set());
      }
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
    if (id !== undefined) {
      this.#ids.delete(test);
      for (const suite of suitesAround(test)) {
        this.#suites.get(suite).left -= 1;
        this.#suites.get(suite).last = { id, test };
      }
      tell([verdict(id, test), ...(this.#isClosing(suitesAround(test)[0]) ? [{ closing: { id } }] : [])]);
    }
  }

  async onAfterRunSuite(suite) {
    await super.onAfterRunSuite?.(suite);
    const { last } = this.#suites.get(suite) ?? {};
    if (last) {
      const errors = ownErrors(suite);
      const isBad = last.test.result.state === "fail";
      // Its tests may have passed before its last hooks failed: then that is an error of the last one.
      const records = errors && !isBad ? [failure(last.id, last.test, errors)] : [];
      const isClosed = this.#isClosing(suite) && (suite === suite.file || !this.#isClosing(suite.suite ?? suite.file));
      tell([...records, ...(isClosed ? [{ closed: { id: last.id } }] : [])]);
    }
  }

  /** Whether only its last hooks can still run. */
  #isClosing(suite) {
    return this.#suites.get(suite)?.left === 0;
  }

  async onAfterRunFiles(files) {
    for (const file of files) {
      tell(this.#rest(file));
    }
    await super.onAfterRunFiles?.(files);
  }

  /** Has only the tests run that were asked for. */
  #choose(file, ids) {
    const tests = testsById(file);
    const wanted = ids.filter((id) => tests.has(id));
    for (const id of wanted) {
      const test = tests.get(id);
      this.#ids.set(test, id);
      for (const suite of isOn(test) ? suitesAround(test) : []) {
        this.#suites.set(suite, { left: (this.#suites.get(suite)?.left ?? 0) + 1 });
      }
    }
    keepOnly(file, new Set(wanted.map((id) => tests.get(id))));
    // What is left out is none of our business, empty files and suites included.
    this.config.passWithNoTests = true;
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
        records.push(verdict(id, test));
      } else if (errors) {
        records.push(failure(id, test, errors));
      } else if (!isOn(test)) {
        records.push(skip(id, test));
      }
    }
    return records;
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
