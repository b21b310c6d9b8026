// A file whose path ends as another's, with tests that are called like others and end differently.
import { expect, test } from "vitest";

test("works", () => expect("lib").toBe("not lib"));
test("it's", () => {});
