import { describe, test } from "vitest";

describe("nothing in it", () => {});
test("beside", () => {});
