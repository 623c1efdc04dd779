import { execa } from "execa";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { packageRoot } from "../host/package.ts";

const compiled = pathToFileURL(join(packageRoot, "dist/harness/run/parent.js")).href;

/** A process that will never look at a message again. */
const DEAF = `
  const { endWithParent } = await import("${compiled}");
  endWithParent();
  setTimeout(() => {
    console.log(process.pid);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }, 300);
`;

/** Its parent. */
const PARENT = `
  const { spawn } = await import("node:child_process");
  spawn(process.execPath, ["--input-type=module", "-e", ${JSON.stringify(DEAF)}], { stdio: "inherit" });
`;

test("a process that hears nothing more does not outlive the one that started it", async () => {
  const args = ["--input-type=module", "-e", PARENT];
  const parent = execa("node", args, { reject: false, stderr: "ignore", buffer: false });
  const child = await new Promise<number>((resolve) =>
    parent.stdout.once("data", (text) => resolve(Number(text))),
  );
  expect(existsSync(`/proc/${child}`)).toBe(true);
  parent.kill("SIGKILL");
  await expect.poll(() => existsSync(`/proc/${child}`), { timeout: 30_000 }).toBe(false);
});
