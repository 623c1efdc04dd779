/**
 * Runs beside others on one machine: containers that come and go, people who detach loop devices. None disturbs the other.
 */
import { execa } from "execa";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { builtCommand, cli } from "./built-command.ts";
import { machineLacks } from "./kernel/machine.ts";
import { leftBehind, loopsOf } from "./kernel/traces-left.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const { folder, conform } = builtCommand("neighbours");

/** A run in a container: processes, mounts and a /dev/shm of its own. */
function inContainer(args: readonly string[]) {
  const script = `mount -t tmpfs tmpfs /dev/shm && exec node ${cli} ${args.join(" ")}`;
  const own = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];
  return execa("unshare", [...own, "sh", "-c", script], { reject: false, cwd: folder });
}

/** Pids of the workers of a run, once it has one. */
async function workersOf(pid: number | undefined): Promise<number[]> {
  for (;;) {
    const { stdout } = await execa("ps", ["--ppid", String(pid), "-o", "pid="], { reject: false });
    const pids = stdout.split("\n").filter(Boolean).map(Number);
    if (pids.some((one) => loopsOf(one).length > 0)) return pids;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const args = ["run", "--variant", "4k-delalloc,4k-thin", "--cases", "300", "--seed", "5"];

describe.skipIf(lacks !== undefined)("neighbours", () => {
  test("containers that start during a run, and one that is killed, change nothing of it", async () => {
    const outside = conform([...args, "--save", "a"]);
    await workersOf(outside.pid);
    const first = inContainer([...args, "--save", "b"]);
    const killed = inContainer(["run", "--variant", "4k-thin", "--cases", "100000", "--save", "c"]);
    const second = inContainer([...args, "--save", "d"]);
    const runs = await Promise.all([outside, first, second]);
    killed.kill("SIGKILL");
    await killed;
    for (const { stdout } of runs) {
      expect(stdout).toMatch(/\nCONFORMS: no unnamed divergence in 6\d\d cases/);
    }
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    await expect.poll(() => leftBehind(outside.pid)).toEqual([]);
  });

  test("a loop device that somebody detaches stays with its run", async () => {
    const run = conform([...args, "--save", "e"]);
    const pids = await workersOf(run.pid);
    for (const loop of pids.flatMap(loopsOf)) {
      await execa("losetup", ["--detach", `/dev/${loop}`], { reject: false });
    }
    const { stdout, exitCode } = await run;
    expect(stdout).toMatch(/\nCONFORMS: /);
    expect(exitCode).toBe(0);
  });

  test("a worker that is killed leaves no loop device and no mount, and the next start no folder", async () => {
    const run = conform(["run", "--variant", "4k-thin", "--cases", "100000", "--save", "f"]);
    const [worker] = await workersOf(run.pid);
    const devices = loopsOf(worker!).map((name) => `/sys/block/${name}/loop`);
    process.kill(worker!, "SIGKILL");
    await run;
    await expect.poll(() => devices.filter((file) => existsSync(file))).toEqual([]);
    await conform(["doctor"]);
    await expect.poll(() => leftBehind(worker)).toEqual([]);
  });
});
