// Makes @NAME@.wasm of src/plugin.js and what that imports: a component that exports what wit/framework.wit says.

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { componentize } from '@bytecodealliance/componentize-js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const { component } = await componentize({
  sourcePath: here('src/plugin.js'),
  witPath: here('wit'),
  worldName: 'framework-plugin',
  // A framework computes and does nothing else, so it imports nothing of WASI.
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
});
await writeFile(here('@NAME@.wasm'), component);
