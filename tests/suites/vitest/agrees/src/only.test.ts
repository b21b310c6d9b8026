import { expect, test } from "vitest";

test.only("the one", () => {});
test("the other", () => expect(1).toBe(2));
