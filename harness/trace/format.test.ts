/**
 * FORMAT.md is what others write recordings by: its example must agree, and nothing may be missing
 * in it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { variantSchema } from "../case/variant.ts";
import { checkFile } from "./check.ts";
import { headerV2Schema } from "./format.ts";
import { DEFAULT_LIMITS } from "./limits.ts";

const text = readFileSync(new URL("FORMAT.md", import.meta.url), "utf8");
const example = /```jsonl\n(.*?)```/s.exec(text)?.[1] ?? "";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "conform-format-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function check(contents: string) {
  const path = join(folder, "example.jsonl");
  writeFileSync(path, contents);
  return checkFile(path, { allowed: "none", only: undefined, limits: DEFAULT_LIMITS });
}

describe("FORMAT.md", () => {
  test.each([
    ["as it is", example],
    ["with CRLF", example.replaceAll("\n", "\r\n")],
    ["without its last newline", example.trimEnd()],
  ])("its example agrees, %s", async (_, contents) => {
    expect(await check(contents)).toMatchObject({ cases: 2, steps: 4, compared: 4, diverging: 0 });
  });

  test("its example would diverge if it were wrong", async () => {
    const wrong = example.replace('"size":5000', '"size":5001');
    expect(await check(wrong)).toMatchObject({ diverging: 1 });
  });

  test("it describes every field of a header", () => {
    const { shape } = headerV2Schema;
    const fields = [shape, shape.traits.shape, variantSchema.shape].flatMap((of) =>
      Object.keys(of),
    );
    for (const name of fields) expect(text).toMatch(new RegExp(`^\\| ${name} +\\| `, "m"));
  });
});
