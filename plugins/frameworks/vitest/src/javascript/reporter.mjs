// Runs in vitest itself: puts the runner in place, and tells what is known there alone.
export default class Reporter {
  #vitest;
  #configuration;
  #session;
  #errors = [];
  #isFinished = false;

  async onInit(vitest) {
    this.#vitest = vitest;
    this.#configuration = new Configuration(vitest);
    Object.assign(request, { base: readFileSync(`${prefix}base.txt`, "utf8"), ...modules(vitest) });
    writeFileSync(`${prefix}request.json`, stringify(request));
    this.#configuration.apply();
    tell([{ begun: { bail: this.#configuration.bail, version: vitest.version } }]);
    // So that it is known how long a test has been under way that says nothing any more.
    setInterval(() => tell([{ alive: { at: clock() } }]), 1000).unref();
    // Before the listener of vitest, which ends the process at once.
    process.prependListener("exit", (code) => this.#exit(code));
    if (request.units) {
      writeTask({ units: request.units });
      return;
    }
    vitest.reporters = [this];
    this.#session = new Session(vitest, this.#configuration);
    await (request.work ? this.#session.work() : this.#session.discover());
    this.#isFinished = true;
    // There is nothing left to do for the run that would follow: it ends here, as it would after its tests.
    await vitest.exit().catch((error) => {
      tell([strayOf("failed tear-down", [error])]);
      process.exitCode ||= 1;
    });
    await new Promise(() => {});
  }

  onTestRunStart(specifications) {
    if (request.units) {
      tell([this.#configuration.plan(specifications)]);
    }
  }

  onUserConsoleLog({ content, type }) {
    process[type].write(content);
  }

  onTestRunEnd(_modules, errors) {
    if (request.units) {
      this.#errors = errors;
      this.#isFinished = true;
      // No worker runs these.
      for (const file of this.#vitest.state.getFiles().filter(isOfTypes)) {
        tell(judge(file, request.units[unitOf(file)] ?? []));
      }
    }
  }

  #exit(code) {
    const failed = request.units && this.#vitest.state.getFiles().some((file) => file.result?.state === "fail");
    tell([...unhandled(this.#errors, this.#vitest), { exit: { code: code ?? 0, finished: this.#isFinished, failed: Boolean(failed) } }]);
    this.#session?.leave();
  }
}
