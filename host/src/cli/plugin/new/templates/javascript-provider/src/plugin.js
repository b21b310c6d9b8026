// What the component exports: each interface of the contract's world is an object, each function a method in camelCase.
//
// How values of the contract look in JavaScript:
//   record          an object with fields in camelCase
//   option          the value, or undefined
//   variant         { tag, val }
//   list<u8>        a Uint8Array
//   result          the value itself; what is thrown is its failure
//   borrow<stdio>   an object to hand on, and not to keep
//
// Every call gets an instance of its own, so what a later one has to know goes into the id of the sandbox. Settings are
// known only once a call is made: while the component is built, this module is run already. To have a person told of
// something, call `log('warn', '…')`, which is imported from where `settings` is.

import { settings } from 'offload:plugin/host@0.1.0';
import { capture, run } from 'offload:plugin/process@0.1.0';
import { info } from './info.js';
import { Provider } from './provider.js';

export const metadata = {
  describe: () => info,
};

export const provider = {
  prepare: (spec) => answer((directories) => directories.prepare(spec)),
  create: (spec) => answer((directories) => directories.create(spec)),
  exec: (sandbox, execId, command, stdio) => answer((directories) => directories.exec(sandbox, command, stdio)),
  cancel: (sandbox, execId) => answer((directories) => directories.cancel(sandbox, execId)),
  download: (sandbox, files) => answer((directories) => directories.download(sandbox, files)),
  destroy: (sandboxes) => answer((directories) => directories.destroy(sandboxes)),
};

// A mistake in this plugin is told as a failure, too: an Error that left the component would end the call without a
// word.
function answer(call) {
  try {
    return call(new Provider(JSON.parse(settings()), { capture, run }));
  } catch (thrown) {
    throw thrown instanceof Error ? mistake(thrown) : thrown;
  }
}

function mistake({ message, stack }) {
  return { code: 'defect', message: `${message}, at ${stack.split('\n', 1)[0]}`, help: undefined, retryable: false };
}
