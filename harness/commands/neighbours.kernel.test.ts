/**
 * Runs beside others on one machine: containers that come and go, people who detach loop devices.
 * None disturbs the other.
 */
import { execa } from "execa";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { builtCommand, cli } from "../host/built-command.ts";
import { machineLacks } from "../system/machine.ts";
import { inContainer } from "../host/container.ts";
import { leftBehind, loopsOf, workerWithImage } from "../workers/traces-left.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const { folder, conform } = builtCommand("neighbours");

/** A run in a container of its own. */
const contained = (args: readonly string[]) =>
  execa(...inContainer(["node", cli, ...args]), { reject: false, cwd: folder });

const args = ["run", "--variant", "4k-delalloc,4k-thin", "--cases", "300", "--seed", "5"];

describe.skipIf(lacks !== undefined)("neighbours", () => {
  test("containers that start during a run, and one that is killed, change nothing of it", async () => {
    const outside = conform([...args, "--save", "a"]);
    await workerWithImage(outside.pid);
    const first = contained([...args, "--save", "b"]);
    const killed = contained(["run", "--variant", "4k-thin", "--cases", "100000", "--save", "c"]);
    const second = contained([...args, "--save", "d"]);
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
    for (const loop of loopsOf(await workerWithImage(run.pid))) {
      await execa("losetup", ["--detach", `/dev/${loop}`], { reject: false });
    }
    const { stdout, exitCode } = await run;
    expect(stdout).toMatch(/\nCONFORMS: /);
    expect(exitCode).toBe(0);
  });

  test("a worker that is killed leaves no loop device and no mount, and the next start no folder", async () => {
    const run = conform(["run", "--variant", "4k-thin", "--cases", "100000", "--save", "f"]);
    const worker = await workerWithImage(run.pid);
    const devices = loopsOf(worker).map((name) => `/sys/block/${name}/loop`);
    process.kill(worker, "SIGKILL");
    await run;
    await expect.poll(() => devices.filter((file) => existsSync(file))).toEqual([]);
    await conform(["doctor"]);
    await expect.poll(() => leftBehind(worker)).toEqual([]);
  });
});
