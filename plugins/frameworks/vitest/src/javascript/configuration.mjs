// Runs in vitest itself: what of its configuration is replaced, and what the suite relies on of the rest.

const NO_SUCH_FILE = "vitest has no such test file where the command ran";

/** Reporters that only tell people what happens. */
const FOR_PEOPLE = ["default", "verbose", "dot", "tree", "basic", "agent", "minimal", "github-actions", "hanging-process"];

/** Where the runner finds what vitest has for it. */
function modules({ distPath }) {
  const at = (name) => pathToFileURL(join(distPath, name)).href;
  return { index: at("index.js"), runners: at("runners.js") };
}

function unitOfSpecification({ moduleId, project, pool }) {
  return unitOf({ filepath: moduleId, projectName: project.name, pool });
}

/** What a file shares a process with, if vitest does not isolate it from others. */
function sharedBy({ project, pool }) {
  const { isolate, poolOptions } = project.config;
  const isShared = pool === "typescript" || [isolate, poolOptions?.[pool]?.isolate].includes(false);
  return isShared ? `${pool} ${project.name}` : undefined;
}

function writeTask(task) {
  writeFileSync(`${prefix}task.json`, stringify(task));
}

function refuse(code, message, help) {
  tell([{ unusable: { code, message, help } }]);
  throw new Error(message);
}

/** The configuration of vitest, and what becomes of it. */
class Configuration {
  #vitest;
  #sequential;
  #shard;

  constructor(vitest) {
    this.#vitest = vitest;
    this.#sequential = new Set(vitest.projects.filter((project) => this.#isSequential(project)));
    this.#shard = vitest.config.shard;
    this.bail = vitest.config.bail ?? 0;
  }

  /** Whether the files of a project are never to be run at the same time. */
  #isSequential({ config, vite }) {
    const isPart = (value) => String(value).endsWith("%");
    const { pool, poolOptions = {} } = config;
    const { singleFork, maxForks } = poolOptions.forks ?? {};
    const { singleThread, maxThreads } = poolOptions.threads ?? {};
    const ofPool = /threads/i.test(pool) ? singleThread || maxThreads === 1 : singleFork || maxForks === 1;
    const { fileParallelism, maxWorkers } = this.#vitest.config;
    return Boolean(
      ofPool ||
        [config.fileParallelism, fileParallelism].includes(false) ||
        ([config.maxWorkers, maxWorkers].includes(1) && !isPart(vite.config.test?.maxWorkers)),
    );
  }

  /** Leaves to the host what is to be said of the whole run, and has tests run by our runner, one file at a time. */
  apply() {
    if (Number.parseInt(this.#vitest.version, 10) < 3) {
      refuse("vitest-too-old", `this is vitest ${this.#vitest.version}`, "offload works with vitest 3 or newer");
    }
    for (const { name, config } of this.#vitest.projects) {
      const help = "leave that project out with `project`, for example \"!name\"";
      if (config.browser?.enabled) {
        refuse("vitest-browser", `project "${name}" runs in a browser, which offload cannot do`, help);
      }
      if (config.runner) {
        refuse("vitest-runner", `project "${name}" has a runner of its own, ${config.runner}`, help);
      }
      Object.assign(config, { runner: `${prefix}runner.mjs`, bail: 0, fileParallelism: false, maxWorkers: 1 });
    }
    const own = { bail: 0, shard: undefined, fileParallelism: false, maxWorkers: 1, minWorkers: 1 };
    Object.assign(this.#vitest.config, own);
  }

  /** The files of the shard that vitest was asked for. */
  async shard(specifications) {
    const { config } = this.#vitest;
    if (!this.#shard) {
      return specifications;
    }
    config.shard = this.#shard;
    const own = await new config.sequence.sequencer(this.#vitest).shard([...specifications]);
    config.shard = undefined;
    return own;
  }

  /** Whether vitest notes where in a file a test is. */
  locate(includeTaskLocation) {
    const { config, projects } = this.#vitest;
    [config, ...projects.map((project) => project.config)].forEach((it) => Object.assign(it, { includeTaskLocation }));
  }

  /** What a plain run would do and this one does not. */
  notices() {
    const { coverage, reporters = [] } = this.#vitest.vite.config.test ?? {};
    const messages = [];
    if (coverage?.enabled || process.argv.some((word) => /^--coverage(?!\.enabled=false$)/.test(word))) {
      messages.push("coverage is not measured, and its thresholds are not checked: run vitest itself for that");
    }
    const nameOf = (reporter) => (Array.isArray(reporter) ? nameOf(reporter[0]) : reporter?.constructor?.name);
    const named = [reporters, this.#vitest.config.reporters].flatMap((some) => (Array.isArray(some) ? some : [some]));
    const names = named.map((it) => (typeof it === "string" ? it : typeof it?.[0] === "string" ? it[0] : nameOf(it)));
    const others = new Set(names.filter((name) => name && !name.startsWith(prefix) && !FOR_PEOPLE.includes(name)));
    if (others.size > 0) {
      const list = [...others].join(", ");
      messages.push(`reporters of vitest are passed over, whatever they write and whether they fail the run: ${list}`);
    }
    return messages.map((message) => ({ notice: { message } }));
  }

  /** The record of the files that vitest goes through, and what their tests rely on. */
  plan(specifications) {
    const orders = specifications.map(({ project }) => project.config.sequence?.groupOrder ?? 0);
    const first = Math.min(...orders);
    const units = specifications.map((it, at) => ({
      unit: unitOfSpecification(it),
      stage: Math.max(0, Math.trunc(orders[at] - first)),
      // Type tests are of one program each project: it is checked once for all of them.
      tags: [
        ...(this.#sequential.has(it.project) ? ["lock:vitest"] : []),
        ...(it.pool === "typescript" ? [`together:types of ${it.project.name || "vitest"}`] : []),
      ],
    }));
    return { planned: { units } };
  }

  /**
   * Has many files loaded by few processes while `act` goes on. Between two files everything is reset but packages that
   * node itself has loaded and what is global, so that hardly any file can tell.
   */
  async hastily(isMany, act) {
    const { config, projects } = this.#vitest;
    const workers = isMany ? availableParallelism() : 1;
    const changed = new Set([config, ...projects.map((project) => project.config)]);
    const before = [...changed].map((it) => [it, { ...it, poolOptions: structuredClone(it.poolOptions) }]);
    projects.forEach(keepWhatIsTold);
    for (const it of changed) {
      Object.assign(it, { isolate: false, fileParallelism: workers > 1, maxWorkers: workers, minWorkers: workers });
      for (const pool of it.poolOptions ? ["forks", "threads"] : []) {
        it.poolOptions[pool] = { ...it.poolOptions[pool], isolate: false };
      }
    }
    try {
      await act();
    } finally {
      before.forEach(([it, { isolate, fileParallelism, maxWorkers, minWorkers, poolOptions }]) => {
        Object.assign(it, { isolate, fileParallelism, maxWorkers, minWorkers });
        it.poolOptions && Object.assign(it, { poolOptions });
      });
      projects.forEach((project) => {
        delete project.serializedConfig;
        delete project.getSerializableConfig;
      });
      if (config.poolOptions) {
        // The pools of vitest 3 are what they were made as.
        await this.#vitest.pool?.close();
        this.#vitest.pool = undefined;
      }
    }
  }
}

/** Has the processes of a project believe that nothing was changed, so that they reset their modules between files. */
function keepWhatIsTold(project) {
  if (project.getSerializableConfig) {
    const { isolate, poolOptions } = project.getSerializableConfig();
    const current = project.getSerializableConfig.bind(project);
    project.getSerializableConfig = () => ({ ...current(), isolate, poolOptions });
  } else {
    const { isolate } = project.serializedConfig;
    const { get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(project), "serializedConfig");
    const told = { configurable: true, get: () => ({ ...get.call(project), isolate }) };
    Object.defineProperty(project, "serializedConfig", told);
  }
}
