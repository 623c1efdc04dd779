import { describe, expect, test } from "vitest";
import { EnvironmentError } from "../case/failure.ts";
import { capabilities } from "./capabilities.ts";

const named = (name: string, hooks = { pausedWrites: true, failNth: true }) =>
  capabilities(undefined, hooks).find((one) => one.name === name)!;

describe("a capability", () => {
  test("that is there has the command that does it, and no reason", () => {
    for (const { is, lacks, command } of capabilities(undefined, undefined)) {
      expect(is).toBe(lacks === undefined);
      expect(command).not.toBe("");
    }
  });

  test("of the kernel is asked of the kernel, where one can run", () => {
    const all = capabilities(undefined, undefined).map(({ name }) => name);
    expect(all).not.toContain("let a memory allocation within a call fail (no memory)");
    expect(
      named("let a memory allocation within a call fail (no memory)", {
        pausedWrites: true,
        failNth: false,
      }),
    ).toMatchObject({
      is: false,
      lacks: expect.stringMatching(/^no .*fail-nth/),
      command: expect.stringMatching(/ kernel build --source /),
    });
    expect(named("let a memory allocation within a call fail (no memory)").is).toBe(true);
  });

  test.each([
    ["not-root", "needs root", /^sudo .* run$/],
    ["missing-program", "no mkfs.ext4", /^apt-get install e2fsprogs /],
    ["no-loop-device", "no loop", /^modprobe loop$/],
    ["no-space", "no room", /^Free some\.$/],
  ] as const)("to run here comes back from %s by a command", (reason, message, command) => {
    const [here] = capabilities(new EnvironmentError(reason, message, "Free some."), undefined);
    expect(here).toMatchObject({
      is: false,
      lacks: message,
      command: expect.stringMatching(command),
    });
  });
});
