// The command that runs files, and the journal that it leaves.

import { failure, inNode, resultText } from './contract.js';
import { runFiles } from './in-node/run.js';
import { records } from './records.js';
import { verdict } from './verdict.js';

export function plan({ node_args = [] }, { scratch }, tests) {
  const stdin = JSON.stringify(tests.map(({ id }) => id));
  const resultFile = `${scratch}journal.jsonl`;
  return inNode([], runFiles, [resultFile, scratch, ...node_args], { stdin, resultFile });
}

// A file that was not begun, or of which nothing is known, has no outcome.
export function outcomes(tests, run) {
  const states = new Map();
  for (const record of records(resultText(run))) {
    if (record.noStdin) {
      const message = 'the list of files did not arrive: standard input is not passed on to the command';
      throw failure('no-stdin', message, 'let the provider pass standard input on, as `exec_command` has to');
    }
    states.set(record.ended ?? record.running, record);
  }
  return tests.filter(({ id }) => states.has(id)).map(({ id }) => outcome(id, states.get(id)));
}

function outcome(id, record) {
  if (record.ended === undefined) {
    // Whether it crashed or was too slow is for offload to say.
    return { id, status: 'running', duration: seconds(record), properties: [] };
  }
  return { id, duration: seconds(record), properties: [], file: id, ...verdict(id, record) };
}

function seconds(record) {
  return Number.isFinite(record.seconds) && record.seconds > 0 ? record.seconds : 0;
}
