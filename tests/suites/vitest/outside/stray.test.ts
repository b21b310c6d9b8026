import { test } from "vitest";

test("lets an error go", async () => {
  void Promise.reject(new Error("nobody caught me"));
  await new Promise((done) => setTimeout(done, 20));
});
test("innocent", () => {});
