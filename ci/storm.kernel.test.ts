import { execa } from "execa";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { machineLacks } from "../harness/system/machine.ts";
import { packageRoot } from "../harness/host/package.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

describe.skipIf(lacks !== undefined)("a storm", () => {
  test.each([
    ["on the machine", []],
    ["in containers", ["--container"]],
  ])("%s leaves nothing and disturbs nobody", async (_, where) => {
    const args = [join(packageRoot, "dist/ci/storm.js"), "--kills", "2", ...where];
    const { stdout, exitCode } = await execa("node", args, { reject: false });
    expect(stdout).toMatch(/^2 kills, \d+ runs? beside them, 0 wrong$/);
    expect(exitCode).toBe(0);
  });
});
