// Makes @NAME@.wasm of src/plugin.js and what that imports: the component that wit/this-plugin.wit describes.

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { componentize } from '@bytecodealliance/componentize-js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const { component } = await componentize({
  sourcePath: here('src/plugin.js'),
  witPath: here('wit'),
  worldName: 'this-plugin',
  // What this provider does it does through the programs that it runs, so it imports nothing of WASI.
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
});
await writeFile(here('@NAME@.wasm'), component);
