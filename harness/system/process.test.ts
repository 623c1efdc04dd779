import { expect, test } from "vitest";
import { run, runSync } from "./process.ts";

test("a program that is not installed is the environment's fault, and says what to install", async () => {
  const missing = expect.objectContaining({
    reason: "missing-program",
    remedy: expect.stringContaining("Install") as string,
  });
  await expect(run("ext4-conform-no-such-program", [])).rejects.toEqual(missing);
  expect(() => runSync("ext4-conform-no-such-program", [])).toThrow(missing);
});

test("an exit status is a result", () => {
  expect(runSync("sh", ["-c", "echo out; echo; echo why >&2; exit 3"])).toMatchObject({
    exitCode: 3,
    stdout: "out\n",
    complaint: "why",
  });
});

test("the locale is C whatever the user's is", async () => {
  expect((await run("sh", ["-c", "echo $LC_ALL"])).stdout).toBe("C");
});
