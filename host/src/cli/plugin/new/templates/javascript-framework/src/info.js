// What the plugin says of itself.

// A JSON Schema of a group's table in offload.toml. Offload holds the table against it before anything runs; the
// descriptions are what people read when the table is wrong.
const settings = {
  type: 'object',
  additionalProperties: false,
  properties: {
    program: { type: 'string', minLength: 1, default: 'tiny', description: 'The program that runs the tests.' },
    // Offload itself acts on this one: commands run there unless they say otherwise.
    working_dir: { type: 'string', minLength: 1, description: "Directory that the group's commands run in." },
  },
};

export const info = {
  name: '@NAME@',
  version: '0.1.0',
  description: 'Tests of tiny',
  settingsSchema: JSON.stringify(settings),
  // What it runs must be named here, or nobody can grant it.
  requests: ['run:tiny'],
};
