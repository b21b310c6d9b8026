// What the plugin says of itself.

// A JSON Schema of [provider] in offload.toml, but for `type`. Offload holds the table against it before anything runs;
// the descriptions are what people read when the table is wrong.
const settings = {
  type: 'object',
  additionalProperties: false,
  properties: {
    // Offload always gives this one, and makes it absolute.
    working_dir: { type: 'string', minLength: 1, description: 'Directory that each sandbox gets a copy of.' },
    // Offload itself acts on this one: the variables come back with every command.
    env: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Environment variables of the tests.',
    },
  },
};

export const info = {
  name: '@NAME@',
  version: '0.1.0',
  description: 'runs each command in a directory of its own on this machine',
  settingsSchema: JSON.stringify(settings),
  // What it runs must be named here, or nobody can grant it.
  requests: ['run:sh'],
};
