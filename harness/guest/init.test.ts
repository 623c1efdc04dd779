import { execaSync } from "execa";
import { describe, expect, test } from "vitest";
import { initScript } from "./init.ts";

describe("the guest's init script", () => {
  const script = initScript({
    command: ["/opt/node js/it's node", "/srv/$HOME/worker.js"],
    line: "/dev/ttyS0",
  });

  test("is one that a shell understands", () => {
    const { exitCode, stderr } = execaSync("sh", ["-n"], { input: script, reject: false });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
  });

  test("hands the shell paths that it takes as they are", () => {
    const command = script.split("\n").find((line) => line.includes("worker.js"))!;
    const { stdout } = execaSync("sh", ["-c", `printf '%s\\n' ${command}`]);
    expect(stdout.split("\n")).toEqual([
      "/opt/node js/it's node",
      "/srv/$HOME/worker.js",
      "/dev/ttyS0",
    ]);
  });

  test("has nothing of the host's written to: every mount is of a file system of the guest's own", () => {
    const mounts = script.split("\n").filter((line) => line.startsWith("mount "));
    expect(mounts.length).toBeGreaterThan(4);
    for (const mount of mounts) {
      expect(mount).toMatch(/^mount -t (?:proc|sysfs|devtmpfs|tmpfs|debugfs|tracefs) /);
    }
  });
});
