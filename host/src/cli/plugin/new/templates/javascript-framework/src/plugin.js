// What the component exports: each interface of the contract's world is an object, each function a method in camelCase.
//
// How values of the contract look in JavaScript:
//   record          an object with fields in camelCase
//   option          the value, or undefined
//   variant         { tag, val }
//   list<u8>        a Uint8Array
//   result          the value itself; what is thrown is its failure
//
// Settings are known only once a call is made: while the component is built, this module is run already. To have a
// person told of something, call `log('warn', '…')`, which is imported from where `settings` is.

import { settings } from 'offload:plugin/host@0.1.0';
import { info } from './info.js';
import { Tiny } from './tiny.js';

export const metadata = {
  describe: () => info,
};

export const framework = {
  // What a group needs of a sandbox: ["private-directory"] if two sandboxes must not share a working directory.
  needs: () => [],
  discover: (context, paths, previous) => answer((tiny) => tiny.discover(paths, previous)),
  runCommand: (context, tests) => answer((tiny) => tiny.runCommand(tests)),
  parseResults: (context, tests, run) => answer((tiny) => tiny.parseResults(tests, run)),
};

// A mistake in this plugin is told as a failure, too: an Error that left the component would end the call without a
// word.
function answer(call) {
  try {
    return call(new Tiny(JSON.parse(settings())));
  } catch (thrown) {
    throw thrown instanceof Error ? mistake(thrown) : thrown;
  }
}

function mistake({ message, stack }) {
  return { code: 'defect', message: `${message}, at ${stack.split('\n', 1)[0]}`, help: undefined, retryable: false };
}
