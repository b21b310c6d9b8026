// Makes the component of src/plugin.js and what that imports. Arguments: where it goes, by default node_test.wasm, and
// where offload's contract lies.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { componentize } from '@bytecodealliance/componentize-js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [output = here('node_test.wasm'), witPath = here('../../../wit')] = process.argv.slice(2);

const { component } = await componentize({
  sourcePath: here('src/plugin.js'),
  witPath,
  worldName: 'framework-plugin',
  // A framework computes and does nothing else, so it imports nothing of WASI.
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
});
await mkdir(dirname(output), { recursive: true });
await writeFile(output, component);
