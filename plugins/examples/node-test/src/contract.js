// Values of the contract, with what they seldom say left out.

// A command that runs the text of a function in node.
export function inNode(nodeArgs, body, args, { stdin = '', resultFile }) {
  return {
    command: { argv: ['node', ...nodeArgs, '-e', `(${body})()`, '--', ...args], env: [] },
    stdin: new TextEncoder().encode(stdin),
    resultFiles: [resultFile],
  };
}

export function failure(code, message, help) {
  return { code, message, help, retryable: false };
}

// The text of the one file that a command was to leave; undefined where it left none.
export function resultText(run) {
  const contents = run.files[0]?.contents;
  return contents === undefined ? undefined : text(contents);
}

// How a process ended and what it last said.
export function complaint({ exit, stderr }) {
  const how = exit.tag === 'code' ? `ended with exit code ${exit.val}` : `was killed by signal ${exit.val}`;
  const said = text(stderr).trim();
  return said === '' ? `${how} and said nothing` : `${how}: ${said.slice(-4096)}`;
}

function text(bytes) {
  return new TextDecoder().decode(bytes);
}
