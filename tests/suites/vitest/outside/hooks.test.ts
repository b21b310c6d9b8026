import { afterAll, beforeAll, describe, test } from "vitest";

describe("no set-up", () => {
  beforeAll(() => {
    throw new Error("cannot set up");
  });
  test("one", () => {});
  test("two", () => {});
});

describe("no tear-down", () => {
  afterAll(() => {
    throw new Error("cannot tear down");
  });
  test("first", () => {});
  test("last", () => {});
});
