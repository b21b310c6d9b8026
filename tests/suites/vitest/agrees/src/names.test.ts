// Names that a shell, a regular expression or a careless parser would trip over. Every other test fails, so that a swapped
// result would be seen.
import { describe, expect, test } from "vitest";

const NAMES = [
  "a space", "  two  spaces  ", "it's", 'double " quote', "back`tick`", "$HOME", "$(touch hacked)", "; touch hacked",
  "a > b", " > ", "[brackets]", "(paren", "a.b*c+?", "^start", "end$", "a|b", "{tests}", "-x", "--reporter", "a\nnewline",
  "tab\t", "emoji 🦀", "日本語", "back\\slash", "trailing\\", "%s %d", "$0 $1", "", "#2", "a space #2", "<tag>&amp;", "]]>",
  "\u001b[31mred", "\u2028", "../up", "x".repeat(3000),
];

NAMES.forEach((name, number) => test(name, () => expect(number % 2).toBe(0)));

test.each([[1, 1, 2], [1, 2, 3], [2, 2, 5]])("add(%i, %i) is %i", (a, b, sum) => expect(a + b).toBe(sum));
test.each([{ a: 1 }, { a: 2 }])("object $a", ({ a }) => expect(a).toBe(1));

describe("twins", () => {
  test("same", () => {});
  test("same", () => expect(1).toBe(2));
  test("same", () => {});
});

// Alike where names are joined.
describe("a", () => test("b > c", () => {}));
describe("a > b", () => test("c", () => expect(1).toBe(2)));
describe("a b", () => test("c", () => {}));
describe("a", () => test("b c", () => expect(1).toBe(2)));

test("works", () => {});
