/**
 * Cases as tests of xfstests, without a kernel: its conventions, line by line, and what is refused.
 */
import { describe, expect, test } from "vitest";
import { UsageError } from "../case/failure.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { variantNamed } from "../under-test/variants.ts";
import { shownByDeviations } from "./deviation-cases.ts";
import { asFstest, fstestName, fstestPatch } from "./fstest.ts";

const RUNNING = "6.18.44";
const NAME = "900-short-write";

/** Each case that can be one, as its lines. */
const tests = shownByDeviations().flatMap(({ name, counterexample }) => {
  try {
    const { test: text, golden } = asFstest(counterexample, RUNNING, NAME);
    return [{ name, lines: text.split("\n"), golden }];
  } catch (error) {
    if (error instanceof UsageError) return [];
    throw error;
  }
});

/** Variables that xfstests gives a test (its common/config, common/preamble, common/rc). */
const GIVEN = [
  "SCRATCH_DEV SCRATCH_MNT MKFS_OPTIONS MOUNT_OPTIONS XFS_IO_PROG FILEFRAG_PROG PYTHON3_PROG",
].flatMap((names) => names.split(" "));

/** Groups that xfstests knows (its doc/group-names.txt), as far as ours go. */
const GROUPS = [
  "auto quick rw mmap shutdown unlink copy_range prealloc punch zero collapse insert",
].flatMap((names) => names.split(" "));

describe.each(tests)("the conventions of xfstests, $name", ({ lines, golden }) => {
  test("begin with the interpreter, the licence, and what it is about", () => {
    expect(lines.slice(0, 5)).toEqual([
      "#! /bin/bash",
      "# SPDX-License-Identifier: GPL-2.0",
      "#",
      `# FS QA Test ${NAME}`,
      "#",
    ]);
    const preamble = lines.indexOf(". ./common/preamble");
    expect(lines.slice(0, preamble).filter((line) => !line.startsWith("#"))).toEqual([]);
    const [begin, ...groups] = lines[preamble + 1]!.split(" ");
    expect([begin, ...groups.slice(0, 2)]).toEqual(["_begin_fstest", "auto", "quick"]);
    expect(groups.filter((group) => !GROUPS.includes(group))).toEqual([]);
    expect(new Set(groups).size).toBe(groups.length);
  });

  test("ask for what it takes before the file system is made", () => {
    const text = lines.join("\n");
    const made = lines.findIndex((line) => line.startsWith("_scratch_mkfs_sized "));
    const required = lines.filter((line) => /^_(?:require|exclude)_/.test(line));
    expect(lines.findLastIndex((line) => /^_(?:require|exclude)_/.test(line))).toBeLessThan(made);
    expect(required).toContain("_require_scratch");
    expect(required).toContain("_exclude_fs ext2");
    for (const variable of ["FILEFRAG_PROG", "PYTHON3_PROG"]) {
      const takes = text.includes(`$${variable} -`);
      expect(required.some((line) => line.includes(`"$${variable}"`))).toBe(takes);
    }
    for (const [, name] of text.matchAll(/\$XFS_IO_PROG -c "(\w+)/g)) {
      expect(required.some((line) => line.startsWith(`_require_xfs_io_command ${name}`))).toBe(
        true,
      );
    }
    const cuts = text.includes("\n_scratch_shutdown\n");
    expect(required.includes("_require_scratch_shutdown")).toBe(cuts);
  });

  test("name nothing that is not given, and write nowhere else", () => {
    const text = lines.filter((line) => !line.startsWith("#")).join("\n");
    const used = [...text.matchAll(/\$([A-Z][A-Z0-9_]+)/g)].map(([, name]) => name!);
    expect(used.filter((name) => !GIVEN.includes(name))).toEqual([]);
    const files = [...text.matchAll(/(?:of=| >{1,2}(?!=)|<>)(\S+)/g)].map(([, file]) => file!);
    const allowed =
      /^(?:\/dev\/kmsg$|\$SCRATCH_(?:MNT|DEV)|\$tmp\.|\$seqres\.full|&[-12]|\/dev\/null)/;
    expect(files.filter((file) => !allowed.test(file))).toEqual([]);
  });

  test("end in silence", () => {
    expect(lines.slice(-4)).toEqual(['echo "Silence is golden"', "status=0", "exit", ""]);
    expect(golden).toBe(`QA output created by ${NAME}\nSilence is golden\n`);
  });
});

const shortWrite: Counterexample = {
  format: "ext4-conform counterexample",
  version: 1,
  claim: "A delayed write that ends short keeps the reservation of blocks it put nothing into.",
  divergence: { step: 1, kind: "reserved", message: "reserved is 1, expected 0" },
  kernel: { release: RUNNING, path: "buffer_head" },
  variant: variantNamed("4k-delalloc"),
  operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 0 }, { op: "fsync" }],
};

test("a short write, as a patch of xfstests", async () => {
  const patch = fstestPatch(NAME, asFstest(shortWrite, RUNNING, NAME));
  await expect(patch).toMatchFileSnapshot("goldens/short-write.patch");
});

test("what takes a device without room is refused, and so is a name that xfstests would skip", () => {
  const thin = { ...shortWrite, variant: variantNamed("4k-thin") };
  expect(() => asFstest(thin, RUNNING, NAME)).toThrow(
    "a case on 4k-thin cannot be written as a test of xfstests: no test may take room from its device",
  );
  for (const name of ["short-write", "12-a", "1234_a", "900.out"]) {
    expect(() => asFstest(shortWrite, RUNNING, name)).toThrow("xfstests runs no test");
  }
});

test("a name has the number that it had, or a free one", () => {
  expect(fstestName("4k-delalloc-7-0")).toBe("999-ext4-conform-4k-delalloc-7-0");
  expect(fstestName("a_b..c")).toBe("999-ext4-conform-a-b-c");
  expect(fstestName("b", ["999-other", "998", "998.out"])).toBe("997-ext4-conform-b");
  expect(fstestName("b", ["999", "500-ext4-conform-b"])).toBe("500-ext4-conform-b");
  const all = Array.from({ length: 999 }, (_, i) => String(i + 1).padStart(3, "0"));
  expect(() => fstestName("b", all)).toThrow(UsageError);
});
