import { describe, expect, test } from "vitest";
import { GuestConsole, remedyFor } from "./console.ts";
import { INIT_FAILED, WORKER_ENDED } from "./init.ts";

function consoleOf(...lines: readonly string[]): GuestConsole {
  const console = new GuestConsole();
  console.add(`${lines.join("\r\n")}\r\n`);
  return console;
}

describe("a guest's console", () => {
  test("puts lines together that come in pieces", () => {
    const console = new GuestConsole();
    for (const piece of ["one\r", "\ntw", "o\nthr"]) console.add(piece);
    expect(console.all()).toEqual(["one", "two", "thr"]);
  });

  test("keeps what came last", () => {
    const console = new GuestConsole();
    for (let i = 0; i < 1000; i++) console.add(`line ${i}\n`);
    expect(console.all().length).toBeLessThan(1000);
    expect(console.all().at(-1)).toBe("line 999");
  });

  test("a panic is named by its cause where the cause was said before it", () => {
    const cause = "BUG: failure at fs/ext4/inode.c:4474/ext4_punch_hole()!";
    const panic = "Kernel panic - not syncing: BUG!";
    expect(consoleOf("all is well", cause, panic, "Stack:").panic()).toBe(cause);
    expect(consoleOf("all is well", panic, "Stack:").panic()).toBe(panic);
    expect(consoleOf("[    1.5] kernel BUG at fs/ext4/extents.c:12!", panic).panic()).toBe(
      "kernel BUG at fs/ext4/extents.c:12!",
    );
  });

  test("a complaint that nobody died of is no panic", () => {
    expect(consoleOf("BUG: sleeping function called from invalid context").panic()).toBeUndefined();
  });

  test("says that the worker or the script gave up", () => {
    expect(consoleOf(`${WORKER_ENDED} 1`).gaveUp()).toBe("the worker ended with status 1");
    expect(consoleOf(`${INIT_FAILED} no ext4`).gaveUp()).toBe(
      "the guest cannot be set up: no ext4",
    );
    expect(consoleOf("ext4-conform is mentioned").gaveUp()).toBeUndefined();
  });
});

describe("what to do about a guest that did not come up", () => {
  test.each([
    ["VFS: Unable to mount root fs on unknown-block(0,0)", /CONFIG_HOSTFS.*CONFIG_9P_FS/],
    ["Kernel panic - not syncing: Requested init /x failed (error -8)", /CONFIG_BINFMT_SCRIPT/],
    ["ptrace set fp regs failed, errno = 5", /AMX/],
    ["Out of memory: Killed process 30 (node)", /--memory/],
    [`${INIT_FAILED} no ext4 (CONFIG_EXT4_FS=y)`, /kernel config/],
    ["something else", /Look at what it printed/],
  ])("%s", (line, remedy) => {
    expect(remedyFor(["booting", line])).toMatch(remedy);
  });

  test("silence", () => {
    expect(remedyFor([])).toMatch(/printed nothing.*CONFIG_SERIAL_8250_CONSOLE/);
  });
});
