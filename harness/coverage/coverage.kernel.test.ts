/**
 * From a source tree to the lines of a patch that ran: the built command, a kernel with gcov.
 *
 * The first time takes as long as building a kernel does; its objects stay.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { builtCommand } from "../host/built-command.ts";

const source = process.env["EXT4_CONFORM_KERNEL_SOURCE"];
if (source === undefined) {
  console.warn("SKIP: EXT4_CONFORM_KERNEL_SOURCE names no kernel tree to build with --coverage");
}

const BUILD_MS = 20 * 60_000;

const { folder, conform } = builtCommand("covered");

/** A patch as if these functions of fs/ext4/inode.c had been added by it. */
function patchThatAdds(...names: string[]): string {
  const lines = readFileSync(join(source!, "fs/ext4/inode.c"), "utf8").split("\n");
  const hunks = names.map((name) => {
    const first = lines.findIndex((line) => line.startsWith("static") && line.includes(`${name}(`));
    const after = lines.indexOf("}", first) + 1;
    const added = lines.slice(first, after).map((line) => `+${line}`);
    return [`@@ -${first},0 +${first + 1},${added.length} @@`, ...added].join("\n");
  });
  return ["--- a/fs/ext4/inode.c", "+++ b/fs/ext4/inode.c", ...hunks, ""].join("\n");
}

describe.skipIf(source === undefined)("a kernel that counts", () => {
  test(
    "says which lines of a patch ran: of the write path, and not of what nobody called",
    async () => {
      const kernel = join(folder, "linux");
      const build = ["--source", source!, "--coverage", "--out", kernel];
      const built = await conform(["kernel", "build", ...build]);
      expect(built.exitCode).toBe(0);
      const patch = join(folder, "example.patch");
      writeFileSync(patch, patchThatAdds("ext4_da_write_begin", "ext4_journalled_write_end"));
      const limits = ["--variant", "4k-delalloc", "--cases", "200", "--seed", "4"];
      const asked = ["--coverage", "coverage", "--patch", patch];
      const { stdout } = await conform(["run", "--kernel", kernel, ...limits, ...asked]);
      expect(stdout).toMatch(/^CONFORMS/m);
      expect(stdout).toMatch(/^fs\/ext4 +[\d,]+ of +[\d,]+ +\d+\.\d %/m);
      expect(stdout).toMatch(/ext4_journalled_write_end\(\), never called; not run:/);
      expect(stdout).toMatch(/ext4_da_write_begin\(\), called [\d,]+ times; not run:/);
      expect(stdout).not.toMatch(/not in the source of this kernel/);
      const [, ran, of] = /^fs\/ext4\/inode\.c: (\d+) of (\d+) lines ran$/m.exec(stdout)!;
      expect(Number(ran)).toBeGreaterThan(10);
      expect(Number(of)).toBeGreaterThan(Number(ran));
    },
    BUILD_MS,
  );
});
