// What the plugin says of itself.

// A JSON Schema of a group's table in offload.toml.
const settings = {
  type: 'object',
  additionalProperties: false,
  properties: {
    paths: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description: 'Files to run, or whatever else node takes in their place; by default what it finds itself.',
    },
    node_args: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description: 'What node is given in front of --test, such as ["--import", "tsx"].',
    },
    // Offload itself acts on this one.
    working_dir: { type: 'string', minLength: 1, description: "Directory that the group's commands run in." },
  },
};

export const info = {
  name: 'node-test',
  version: '0.1.0',
  description: "Tests of node's own test runner",
  settingsSchema: JSON.stringify(settings),
  requests: ['run:node'],
};
