// Runs in vitest itself: looks for tests, and runs those of a warm process.

/** From so many files on more than one process loads them when tests are looked for. */
const MANY_FILES = 16;

/** How often the journal is looked at while vitest works, in milliseconds. */
const LOOK = 10;

const AGAIN = `${prefix}again.txt`;

/** What nobody comes between when it is written to a pipe (PIPE_BUF), and how much text fits in there in any case. */
const UNCUT_BYTES = 4096;
const PIECE_CHARACTERS = 900;

/** Waits without an end of its own. */
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Writes to standard output at once, whatever else waits to be written there. */
function write(text) {
  for (let bytes = Buffer.from(text); bytes.length > 0; ) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if (error.code !== "EAGAIN") {
        throw error;
      }
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

/** Says lines on standard output, where tests and their children print as well: each write begins and ends a line. */
function say(lines) {
  let together = "";
  const pieces = (line) => {
    const count = Math.ceil(line.length / PIECE_CHARACTERS);
    const piece = (_, at) => lineOf({ piece: line.slice(at * PIECE_CHARACTERS, (at + 1) * PIECE_CHARACTERS) });
    return [...Array.from({ length: count }, piece), lineOf({ whole: {} })];
  };
  for (const line of lines.flatMap((line) => (Buffer.byteLength(line) < UNCUT_BYTES ? [line] : pieces(line)))) {
    if (Buffer.byteLength(together) + Buffer.byteLength(line) >= UNCUT_BYTES) {
      write(`\n${together}`);
      together = "";
    }
    together += line;
  }
  if (together) {
    write(`\n${together}`);
  }
}

/** Tells what processes of tests write to the journal to whoever listens on standard output. */
class Follower {
  #file = openSync(`${prefix}journal.jsonl`, "a+");
  #offset = 0;
  #rest = Buffer.alloc(0);
  #chunk = Buffer.alloc(64 * 1024);
  #mark = new RegExp(`^\\["${request.nonce}",\\{"(collected|over)":\\{"unit":("(?:[^"\\\\]|\\\\.)*")\\}\\}\\]\n$`);
  /** The files that were loaded, and those that came to their end. */
  collected = new Set();
  over = new Set();

  look() {
    const lines = [];
    for (let count; (count = readSync(this.#file, this.#chunk, 0, this.#chunk.length, this.#offset)) > 0; ) {
      this.#offset += count;
      this.#rest = Buffer.concat([this.#rest, this.#chunk.subarray(0, count)]);
      const end = this.#rest.lastIndexOf("\n") + 1;
      lines.push(...this.#rest.toString("utf8", 0, end).split(/(?<=\n)/));
      this.#rest = this.#rest.subarray(end);
    }
    for (const line of lines) {
      this.#note(line);
    }
    if (request.work) {
      say(lines);
    }
  }

  #note(line) {
    // Nothing but this is short and begins so, whatever a test prints or writes there.
    const [, kind, unit] = line.match(this.#mark) ?? [];
    if (unit !== undefined) {
      this[kind].add(JSON.parse(unit));
    }
  }
}

/** Orders of the host: a JSON line each. */
class Orders {
  /** Files with the tests to run of each, in order. */
  queue = [];
  #rest = "";
  #isOver = false;
  #wake = () => {};

  constructor() {
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", (data) => {
      const lines = (this.#rest + data).split("\n");
      this.#rest = lines.pop();
      lines.filter((line) => line).forEach((line) => this.#obey(JSON.parse(line)));
      this.#wake();
    });
    process.stdin.on("end", () => {
      // Nobody listens any more, unless that was said before.
      this.#isOver || this.queue.splice(0);
      this.#isOver = true;
      this.#wake();
    });
  }

  #obey({ assign, withdraw, finish }) {
    for (const { unit, ids } of assign ?? []) {
      const last = this.queue.at(-1);
      last?.unit === unit ? last.ids.push(...ids) : this.queue.push({ unit, ids });
    }
    if (withdraw) {
      this.#giveBack(new Set(withdraw));
    }
    this.#isOver ||= finish !== undefined;
  }

  #giveBack(wanted) {
    const returned = [];
    for (const job of this.queue) {
      returned.push(...job.ids.filter((id) => wanted.has(id)));
      job.ids = job.ids.filter((id) => !wanted.has(id));
    }
    this.queue = this.queue.filter(({ ids }) => ids.length > 0);
    tell([{ returned: { ids: returned } }]);
  }

  /** Whether there is something to do, now or later. */
  async more() {
    while (this.queue.length === 0 && !this.#isOver) {
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.queue.length > 0;
  }
}

/** What vitest 3 still tries to send to a process of tests that is gone must not end vitest. */
function outlive() {
  const listeners = process.rawListeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason, promise) => {
    if (reason?.code !== "ERR_IPC_CHANNEL_CLOSED") {
      if (listeners.length === 0) {
        throw reason;
      }
      listeners.forEach((listener) => listener.call(process, reason, promise));
    }
  });
}

/** A vitest that does what the host asks for, until that has nothing more. */
class Session {
  #vitest;
  #follower = new Follower();
  #configuration;

  constructor(vitest, configuration) {
    this.#vitest = vitest;
    this.#configuration = configuration;
    setInterval(() => this.follow(), LOOK).unref();
    outlive();
  }

  /** Tells what was written until now. */
  follow() {
    this.#follower.look();
  }

  /** Tells the last, since vitest ends by itself. */
  leave() {
    this.follow();
    rmSync(AGAIN, { force: true });
  }

  async discover() {
    const all = await this.#vitest.getRelevantTestSpecifications(request.filters);
    const specifications = await this.#configuration.shard(all);
    tell([...this.#configuration.notices(), this.#configuration.plan(specifications)]);
    if (specifications.length > 0) {
      const isMany = specifications.length >= MANY_FILES;
      await this.#configuration.hastily(isMany, () => this.#collect(specifications, true));
      this.follow();
      // What is broken, or dies, is looked at in a process of its own, as in a run.
      const rest = specifications.filter((it) => !this.#follower.collected.has(unitOfSpecification(it)));
      if (rest.length > 0) {
        await this.#collect(rest, false);
        this.follow();
      }
      if (this.#follower.collected.size === 0 && request.work) {
        // More is wrong than the files: whoever asks next is told what.
        process.exit(1);
      }
    }
    tell([{ found: {} }]);
  }

  async #collect(specifications, hasty) {
    writeTask({ hasty });
    this.#configuration.locate(true);
    const { exitCode } = process;
    // What was thrown where nobody caught it is thrown again when the file runs, if that is more than a matter of ending early.
    await this.#vitest.collectTests(specifications);
    this.#configuration.locate(false);
    process.exitCode = exitCode;
    // No process of tests has loaded these.
    this.#vitest.state.getFiles().filter((file) => isOfTypes(file)).forEach((file) => {
      const { config } = this.#vitest.projects.find(({ name }) => name === (file.projectName ?? "")) ?? this.#vitest;
      this.#follower.collected.has(unitOf(file)) || tell(findings(file, config));
    });
  }

  async work() {
    const orders = new Orders();
    // As long as this is there, whoever started vitest says the journal once more when vitest is gone.
    writeFileSync(AGAIN, `\n${lineOf({ again: {} })}`);
    tell([{ ready: {} }]);
    if (request.discover) {
      await this.discover();
    }
    const specifications = await this.#vitest.globTestSpecifications();
    const byUnit = new Map(specifications.map((it) => [unitOfSpecification(it), it]));
    while (await orders.more()) {
      const jobs = this.#next(orders, byUnit);
      const missing = jobs.filter(({ specification }) => !specification).flatMap(({ ids }) => ids);
      tell(missing.map((id) => failure(id, undefined, [{ message: NO_SUCH_FILE }])));
      await this.#run(jobs.filter(({ specification }) => specification));
    }
    process.stdin.destroy();
  }

  /** One file; or several, where vitest has files share a process, and what is in it. */
  #next(orders, byUnit) {
    const jobs = [];
    let key;
    do {
      const { unit, ids } = orders.queue.shift();
      const specification = byUnit.get(unit);
      jobs.push({ unit, ids, specification });
      key ??= specification && sharedBy(specification);
    } while (key && orders.queue.length > 0 && isNext(orders.queue[0].unit));
    return jobs;

    function isNext(unit) {
      const specification = byUnit.get(unit);
      return specification && sharedBy(specification) === key && jobs.every((job) => job.unit !== unit);
    }
  }

  async #run(jobs) {
    if (jobs.length === 0) {
      return;
    }
    writeTask({ units: Object.fromEntries(jobs.map(({ unit, ids }) => [unit, ids])) });
    const { exitCode } = process;
    const specifications = jobs.map(({ specification }) => specification);
    const { unhandledErrors: errors } = await this.#vitest.runTestSpecifications(specifications);
    this.follow();
    const files = this.#vitest.state.getFiles().filter((file) => jobs.some(({ unit }) => unitOf(file) === unit));
    for (const { unit, ids } of jobs) {
      const file = files.find((file) => unitOf(file) === unit);
      if (file && isOfTypes(file)) {
        tell(judge(file, ids));
      } else if (!this.#follower.over.delete(unit)) {
        this.#die(unit, errors);
      }
    }
    const stray = unhandled(errors, this.#vitest);
    tell(stray);
    if (stray.length > 0 || files.some((file) => file.result?.state === "fail")) {
      // This is known of the tests, or was told just now.
      process.exitCode = exitCode;
    }
  }

  /** The process that ran a test is gone: as it would be if the test ran in this one. */
  #die(unit, errors) {
    this.follow();
    const causes = errors.flatMap((error) => [error, error?.cause]).filter((error) => error);
    process.stderr.write(`the process that ran ${unit} is gone: ${causes.map((it) => story([it]).message).join(": ")}\n`);
    tell([{ gone: {} }]);
    process.exit(1);
  }
}
