import { test } from "vitest";
import "./nowhere-to-be-found";

test("never read", () => {});
