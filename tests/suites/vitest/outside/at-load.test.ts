import { test } from "vitest";

void Promise.reject(new Error("thrown while the file was loaded"));

test("passes", () => new Promise((done) => setTimeout(done, 20)));
