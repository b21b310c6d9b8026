// Which files there are. A file is a test: see README.md for why its tests are not.

import { complaint, failure, inNode, resultText } from './contract.js';
import { find } from './in-node/find.js';

export function plan({ paths = [], node_args = [] }, { scratch }, narrowed) {
  const resultFile = `${scratch}files.json`;
  return inNode(node_args, find, [resultFile, ...(narrowed.length > 0 ? narrowed : paths)], { resultFile });
}

export function read(run) {
  const files = list(resultText(run));
  const { exit } = run.output;
  if (files === undefined || exit.tag !== 'code' || exit.val !== 0) {
    const message = `node could not say which test files there are: it ${complaint(run.output)}`;
    throw failure('discovery-failed', message, 'check `paths` and `node_args` of the group');
  }
  const tests = files.map((file) => ({ id: file, unit: file, file, tags: [], skipped: false, stage: 0 }));
  return { tests, problems: [], deselected: [] };
}

function list(text = '') {
  try {
    const files = JSON.parse(text);
    const isPath = (file) => typeof file === 'string' && file !== '' && !file.includes('\0');
    return Array.isArray(files) && files.every(isPath) ? [...new Set(files)] : undefined;
  } catch {
    return undefined;
  }
}
