// Runs in node itself, where the tests are: offload starts it as `node -e TEXT`. This function is never called in the
// component, which only hands its text over. So it stands for itself, and names nothing outside of it.

// Finds the files that `node --test` would run, and writes them as JSON to the file that is its first argument; the
// others are paths as `node --test` takes them.
export function find() {
  const { writeFileSync } = require('node:fs');
  const { relative, resolve } = require('node:path');
  const { run } = require('node:test');

  const [output, ...paths] = process.argv.splice(1);
  // Up to version 20 node reads the paths from its own arguments.
  process.argv.push(...paths);
  // Node has no way to list files, only to run them. So it is given a program to run them with that does not exist, and
  // would start none of them with one that does.
  process.execPath = output + '.no-program';
  process.env.NODE_OPTIONS = '--import=data:text/javascript,process.exit()';
  // Left by a node:test that all this runs in: it would have node skip every file.
  delete process.env.NODE_TEST_CONTEXT;

  const files = new Set();
  const stream = run({ concurrency: true, ...(paths.length > 0 && { globPatterns: paths }) });
  stream.on('data', ({ type, data }) => {
    if (type === 'test:enqueue') {
      files.add(relative('', resolve(data.name)));
    }
  });
  stream.on('end', () => {
    writeFileSync(output, JSON.stringify([...files]));
    process.exit(0);
  });
}
