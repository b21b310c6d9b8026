// Runs in vitest itself: puts the runner in place, and tells what is known there alone.

/** How much is kept of what a test prints. */
const PRINTED_LIMIT = 64 * 1024;

export default class Reporter {
  #vitest;
  #errors = [];
  #isFinished = false;
  #printed = new Map();

  onInit(vitest) {
    this.#vitest = vitest;
    const refuse = (code, message, help) => {
      tell([{ unusable: { code, message, help } }]);
      throw new Error(message);
    };
    if (Number.parseInt(vitest.version, 10) < 3) {
      refuse("vitest-too-old", `this is vitest ${vitest.version}`, "offload works with vitest 3 or newer");
    }
    const runners = ["runners.js", "index.js"].map((name) => join(vitest.distPath, name)).find((path) => existsSync(path));
    Object.assign(request, { base: readFileSync(`${prefix}base.txt`, "utf8"), runners: pathToFileURL(runners).href });
    writeFileSync(`${prefix}request.json`, stringify(request));
    const { bail } = vitest.config;
    for (const { name, config } of vitest.projects) {
      const help = "leave that project out with `project`, for example \"!name\"";
      if (config.browser?.enabled) {
        refuse("vitest-browser", `project "${name}" runs in a browser, which offload cannot do`, help);
      }
      if (config.runner) {
        refuse("vitest-runner", `project "${name}" has a runner of its own, ${config.runner}`, help);
      }
      config.runner = `${prefix}runner.mjs`;
      // When to give up and what to try again is for the host to say, of the whole run.
      Object.assign(config, { bail: 0, retry: 0, includeTaskLocation: !request.units });
    }
    vitest.config.bail = 0;
    tell([{ begun: { bail: bail ?? 0, version: vitest.version } }]);
    // So that it is known how long a test has been under way that says nothing any more.
    setInterval(() => tell([{ alive: { at: clock() } }]), 1000).unref();
    // Before the listener of vitest, which ends the process at once.
    process.prependListener("exit", (code) => this.#exit(code));
  }

  onTestRunStart(specifications) {
    const unit = ({ moduleId, project, pool }) => unitOf({ filepath: moduleId, projectName: project.name, pool });
    tell([{ planned: { units: specifications.map(unit) } }]);
  }

  onUserConsoleLog({ content, type, taskId }) {
    process[type].write(content);
    const length = (this.#printed.get(taskId) ?? 0) + content.length;
    if (taskId !== undefined && length <= PRINTED_LIMIT) {
      this.#printed.set(taskId, length);
      tell([{ printed: { task: taskId, stream: type, text: content } }]);
    }
  }

  onTestRunEnd(_modules, errors) {
    this.#errors = this.#vitest.config.dangerouslyIgnoreUnhandledErrors ? [] : errors;
    this.#isFinished = true;
    // No worker runs these.
    for (const file of this.#vitest.state.getFiles().filter(isOfTypes)) {
      tell(request.units ? this.#judge(file, request.units[unitOf(file)] ?? []) : findings(file, this.#vitest.config));
    }
  }

  #judge(file, ids) {
    const tests = testsById(file);
    const judge = (id) => {
      const test = tests.get(id);
      const isOver = ["pass", "fail"].includes(test?.result?.state);
      return isOver ? verdict(id, test) : test && !isOn(test) ? skip(id, test) : failure(id, test, ownErrors(file));
    };
    return [{ collected: { unit: unitOf(file) } }, ...ids.map(judge)];
  }

  #exit(code) {
    const stray = (error) => {
      const path = error.VITEST_TEST_PATH;
      const file = path && placeOf(resolve(this.#vitest.config.root, path));
      return { ...story([error]), file, test: error.VITEST_TEST_NAME };
    };
    const failed = this.#vitest.state.getFiles().some((file) => file.result?.state === "fail");
    const errors = this.#errors.map(stray);
    tell([{ exit: { code: code ?? 0, finished: this.#isFinished, failed, errors } }]);
  }
}
