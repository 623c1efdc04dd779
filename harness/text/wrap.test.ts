import { stripVTControlCharacters, styleText } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { columnsOf, fitted, wrap } from "./wrap.ts";

const always = (text: string): string => styleText("red", text, { validateStream: false });

test("text is broken between words", () => {
  expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
  expect(wrap("incomprehensible", 4)).toEqual(["incomprehensible"]);
  expect(wrap("", 4)).toEqual([]);
});

test("colours take no room", () => {
  expect(wrap(`${always("one")} ${always("two")}`, 7)).toHaveLength(1);
});

test("a long line goes on further in, and breaks between facts and calls first", () => {
  expect(fitted("  a fact   another one   a third one", 24)).toBe(
    "  a fact   another one\n    a third one",
  );
  expect(fitted("call(a, b, c); call(d, e, f)", 26)).toBe("call(a, b, c);\n  call(d, e, f)");
  expect(fitted("short; and so on", 26)).toBe("short; and so on");
});

test("a command to be copied is in one piece, on a line to itself where it must be", () => {
  const command = "node /work/dist/ext4-conform.js replay counterexamples/4k-delalloc.json";
  expect(fitted(`  ${command}`, 40)).toBe(`  ${command}`);
  expect(fitted(`  as a program: ${command}`, 40)).toBe(`  as a program:\n    ${command}`);
  expect(fitted("ext4-conform: there is no such file as this", 30)).not.toMatch(/^.{31}/m);
  expect(fitted("ext4-conform 0.1.0   kernel 6.18.44 x64", 30)).not.toMatch(/^.{31}/m);
});

test("no word is lost, and no line is too long that has more than one", () => {
  const word = fc.stringMatching(/^[a-z;,()]{1,12}$/);
  const space = fc.constantFrom(" ", "  ", "   ", "\n", "\n    ");
  const text = fc.array(fc.tuple(word, space)).map((all) => all.flat().join(""));
  fc.assert(
    fc.property(text, fc.integer({ min: 24, max: 100 }), (all, columns) => {
      const broken = fitted(all, columns);
      expect(broken.trim().split(/\s+/)).toEqual(all.trim().split(/\s+/));
      for (const line of broken.split("\n")) {
        expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(columns);
      }
    }),
    { seed: 1, numRuns: 1000 },
  );
});

test("a terminal says how wide it is; of what is none 80 columns are taken", () => {
  expect(columnsOf({})).toBe(80);
  expect(columnsOf({ isTTY: true, columns: 0 })).toBe(80);
  expect(columnsOf({ isTTY: true, columns: 72 })).toBe(72);
  expect(columnsOf({ isTTY: true, columns: 240 })).toBe(100);
  expect(columnsOf({ columns: 240 })).toBe(80);
});
