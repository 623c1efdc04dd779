import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EnvironmentError } from "../case/failure.ts";
import { lockFolder } from "./lock.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "conform-lock-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("a folder that is locked is refused, and named by who has it", () => {
  const unlock = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(EnvironmentError);
  expect(() => lockFolder(folder)).toThrow(new RegExp(`process ${process.pid} is building`));
  unlock();
  lockFolder(folder)();
});

test.each([
  ["a process that is gone", "4194304 17"],
  ["another process with its number", `${process.pid} 1`],
  ["one that died before it wrote its name", ""],
])("the lock of %s is taken over", (_, holder) => {
  mkdirSync(join(folder, "lock"));
  writeFileSync(join(folder, "lock", "holder"), holder);
  const unlock = lockFolder(folder);
  expect(readFileSync(join(folder, "lock", "holder"), "utf8")).toMatch(`${process.pid} `);
  unlock();
  expect(existsSync(join(folder, "lock"))).toBe(false);
});
