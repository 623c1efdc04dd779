import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MutantError, applyMutant } from "./apply.ts";
import { mutantSchema, mutants } from "./mutants.ts";
import type { Mutant } from "./mutants.ts";

const source = process.env["EXT4_CONFORM_KERNEL_SOURCE"];
if (source === undefined) {
  console.warn("SKIP: EXT4_CONFORM_KERNEL_SOURCE names no kernel tree to apply the mutants to");
}

describe("the seeded kernel bugs", () => {
  test("are well-formed, at least fifteen, and each has its own id", () => {
    for (const mutant of mutants) expect(mutantSchema.parse(mutant)).toEqual(mutant);
    expect(mutants.length).toBeGreaterThanOrEqual(15);
    expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
  });

  test("are in every area that a change of the write path touches", () => {
    const areas = new Set(mutants.map(({ area }) => area));
    for (const area of [
      "reservation",
      "extent status",
      "short write",
      "writeback",
      "conversion",
      "punch",
      "truncate",
      "zeroing",
      "journal credits",
    ]) {
      expect(areas).toContain(area);
    }
  });

  test.skipIf(source === undefined).each(mutants)("$id: has its place in the tree", (mutant) => {
    const text = readFileSync(join(source!, mutant.file), "utf8");
    expect(applyMutant(text, mutant)).not.toBe(text);
  });
});

function mutant(fields: Partial<Mutant>): Mutant {
  return { ...mutants[0]!, within: "f", find: "a + 1", replace: "a + 2", ...fields };
}

describe("applying", () => {
  const text = [
    "static int f(int a);",
    "int g(int a)\n{\n\treturn f(a) + 1;\n}",
    "static int f(int a)\n{\n\treturn a + 1;\n}",
  ].join("\n\n");
  test("changes that function, and nothing else", () => {
    expect(applyMutant(text, mutant({}))).toBe(text.replace("return a + 1", "return a + 2"));
  });

  test.each([
    ["a function that is not there", { within: "h" }, /0 definitions of h\(\)/],
    ["text that is not there", { find: "a + 7" }, /f\(\) has 0 times "a \+ 7"/],
    ["text that is there twice", { within: "g", find: "a" }, /g\(\) has 2 times "a"/],
  ])("%s", (_, fields, message) => {
    expect(() => applyMutant(text, mutant(fields))).toThrow(MutantError);
    expect(() => applyMutant(text, mutant(fields))).toThrow(message);
  });
});
