/**
 * The machine is not taken for the kernel: what stops a run, holds it up or takes its room away is
 * no finding.
 */
import { execa } from "execa";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { builtCommand, cli, unwrapped } from "../host/built-command.ts";
import { machineLacks } from "../system/machine.ts";
import { workerWithImage } from "../workers/traces-left.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const { folder, conform } = builtCommand("machine");

/** The command after some words for the shell. */
function inShell(words: string, args: readonly string[]) {
  const command = `${words}; exec node ${cli} ${args.join(" ")}`;
  return execa("sh", ["-c", command], { reject: false, cwd: folder });
}

const args = ["run", "--variant", "4k-small", "--cases", "200", "--seed", "2"];

describe.skipIf(lacks !== undefined)("the machine", () => {
  test("a run that is stopped for longer than a hang takes goes on", async () => {
    const run = conform([...args.slice(0, 3), "--cases", "1500", "--seed", "2", "--hang", "5"]);
    const worker = await workerWithImage(run.pid);
    process.kill(worker, "SIGSTOP");
    await setTimeout(9_000);
    process.kill(worker, "SIGCONT");
    process.kill(run.pid!, "SIGSTOP");
    await setTimeout(6_000);
    process.kill(run.pid!, "SIGCONT");
    const { stdout, exitCode } = await run;
    expect(stdout).toMatch(/\nCONFORMS: /);
    expect(exitCode).toBe(0);
  });

  test("a worker that somebody kills is no finding, and no bug of the tool", async () => {
    const run = conform(["run", "--variant", "4k-small", "--seconds", "60"]);
    process.kill(await workerWithImage(run.pid), "SIGKILL");
    const { stderr, exitCode } = await run;
    expect(unwrapped(stderr)).toMatch(/SKIP: somebody killed a worker.*memory/);
    expect(exitCode).toBe(4);
  });

  test("a limit of files is lifted where it may be, and said where not", async () => {
    const lifted = await inShell("ulimit -S -f 1000; ulimit -n 64", args);
    expect(lifted.stdout).toMatch(/\nCONFORMS: /);
    const { stdout, stderr, exitCode } = await inShell("ulimit -f 1000", args);
    // It depends on a capability (CAP_SYS_RESOURCE) that root of a container may lack.
    const may = /^0 [\s\S]*\nCONFORMS: |^4 SKIP: files may not be larger than \d+ bytes here/;
    expect(unwrapped(`${exitCode} ${stdout}${stderr}`)).toMatch(may);
  });

  test("a /dev/shm that is full, and a TMPDIR that is a file, change nothing", async () => {
    const full = "mount -t tmpfs -o size=64k tmpfs /dev/shm; cat /dev/zero > /dev/shm/full";
    const words = `export TMPDIR=${cli}; ${full} 2>/dev/null`;
    const command = `${words}; exec node ${cli} ${args.join(" ")}`;
    const run = execa("unshare", ["--mount", "sh", "-c", command], { reject: false, cwd: folder });
    const { stdout, exitCode } = await run;
    expect(stdout).toMatch(/\nCONFORMS: /);
    expect(exitCode).toBe(0);
  });

  test("where nothing can be written the reason is said", async () => {
    const places = "/dev/shm /tmp /var/tmp";
    const words = `for place in ${places}; do mount --bind $place $place && mount -o remount,bind,ro $place; done`;
    const command = `${words}; exec node ${cli} ${args.join(" ")} --save /run`;
    const run = execa("unshare", ["--mount", "sh", "-c", command], { reject: false, cwd: "/" });
    const { stderr, exitCode } = await run;
    expect(unwrapped(stderr)).toMatch(/SKIP: no directory can be made \(\/dev\/shm: EROFS.*TMPDIR/);
    expect(exitCode).toBe(4);
  });
});
