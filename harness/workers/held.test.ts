import { execa } from "execa";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { SAMPLE_MS, heldByKernel, isStopped, sampleTasks } from "./held.ts";

/** What the kernel holds of a shell command and what it starts. */
async function heldOf(command: string): Promise<string[]> {
  const program = execa("sh", ["-c", command], { reject: false, detached: true, stdio: "ignore" });
  await setTimeout(200);
  const before = sampleTasks(program.pid!);
  await setTimeout(SAMPLE_MS);
  const held = heldByKernel(before, sampleTasks(program.pid!));
  // With what it started.
  process.kill(-program.pid!, "SIGKILL");
  await program;
  return held;
}

test.each([
  ["sleeps", "sleep 10"],
  ["computes", "while :; do :; done"],
  ["waits for a program that goes on", "sleep 10 | wc -c"],
])("a process that %s is not held by the kernel", async (_, command) => {
  expect(await heldOf(command)).toEqual([]);
});

test("a program that a process has started and that does not come out of the kernel is", async () => {
  // One system call, of minutes: it fills memory that is already there with what is random.
  const call = "exec dd if=/dev/urandom of=/dev/null bs=1G count=20 iflag=fullblock";
  const [first] = await heldOf(`${call} & wait`);
  expect(first).toMatch(/^task dd:\d+ runs and does not come out of the kernel$/);
});

test("a process that is stopped is seen to be", async () => {
  const program = execa("sleep", ["10"], { reject: false });
  expect(isStopped(program.pid!)).toBe(false);
  program.kill("SIGSTOP");
  await expect.poll(() => isStopped(program.pid!)).toBe(true);
  program.kill("SIGKILL");
  await program;
  expect(isStopped(program.pid!)).toBe(false);
});
