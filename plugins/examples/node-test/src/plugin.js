// What the component exports. Settings are known only once a call is made: while the component is built, this module is
// run already.

import { settings } from 'offload:plugin/host@0.1.0';
import * as discovery from './discovery.js';
import { info } from './info.js';
import * as running from './running.js';

export const metadata = {
  describe: () => info,
};

export const framework = {
  needs: () => [],
  discover: (context, paths, previous) =>
    answer(() =>
      previous.length === 0
        ? { tag: 'run', val: discovery.plan(JSON.parse(settings()), context, paths) }
        : { tag: 'found', val: discovery.read(previous.at(-1)) },
    ),
  runCommand: (context, tests) => answer(() => running.plan(JSON.parse(settings()), context, tests)),
  parseResults: (context, tests, run) => answer(() => running.outcomes(tests, run)),
};

// A mistake in this plugin is told as a failure, too: an Error that left the component would end the call without a
// word.
function answer(call) {
  try {
    return call();
  } catch (thrown) {
    throw thrown instanceof Error ? mistake(thrown) : thrown;
  }
}

function mistake({ message, stack }) {
  return { code: 'defect', message: `${message}, at ${stack.split('\n', 1)[0]}`, help: undefined, retryable: false };
}
