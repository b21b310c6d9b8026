import { describe, expect, test } from "vitest";

const wait = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

test.skip("skipped", () => expect(1).toBe(2));
test.todo("to do");
test("skips itself", ({ skip }) => skip("not today"));
describe.skip("skipped suite", () => test("in it", () => expect(1).toBe(2)));

test.fails("fails as it should", () => expect(1).toBe(2));
test.fails("passes and should not", () => {});

test.concurrent("one of two at once", () => wait(50));
test.concurrent("two of two at once", () => wait(50).then(() => expect(1).toBe(2)));

test("soft", () => {
  expect.soft(1).toBe(2);
  expect.soft({ a: 1 }).toEqual({ a: 2 });
});
test("tries again by itself", { retry: 2 }, ({ task }) => expect(task.result?.retryCount).toBe(2));
test("does not end in time", () => new Promise(() => {}), 100);
test("throws what is no error", () => {
  throw "a string";
});
test("exits", () => process.exit(0));
test("prints", () => {
  console.log("printed by a test");
  console.error("shouted by a test");
  expect(1).toBe(2);
});
