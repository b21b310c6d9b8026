import { test } from "vitest";

test("never read", () => {
  const = 3;
});
