import { describe, expect, test } from "vitest";
import { variantNamed } from "../under-test/variants.ts";
import { asMade, notModelled } from "./modelled.ts";
import { parseSuperblock } from "./superblock.ts";

const variant = variantNamed("4k-delalloc");

/** A superblock with these bits, of blocks and clusters of 4096 bytes. */
function superblock(compat: number, incompat: number, ro_compat: number): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.writeUInt32LE(2, 0x18);
  bytes.writeUInt32LE(2, 0x1c);
  bytes.writeUInt32LE(32_768, 0x20);
  bytes.writeUInt32LE(compat, 0x5c);
  bytes.writeUInt32LE(incompat, 0x60);
  bytes.writeUInt32LE(ro_compat, 0x64);
  return bytes;
}

/** has_journal; filetype, extent; large_file, huge_file. */
const USUAL = [0x4, 0x42, 0xa] as const;

describe("what the model follows", () => {
  test("the usual features", () => {
    expect(notModelled(variant, parseSuperblock(superblock(...USUAL)))).toBeUndefined();
  });

  test.each([
    ["a feature that it does not know", superblock(0x404, 0x42, 0xa), "feature fast_commit"],
    ["one that has no name here", superblock(0x4, 0x80000042, 0xa), "feature incompat 0x80000000"],
    ["one that it needs", superblock(0x4, 0x42, 0x2), "no feature huge_file"],
  ])("not %s", (_, bytes, said) => {
    expect(notModelled(variant, parseSuperblock(bytes))).toBe(`the model does not know: ${said}`);
  });

  test.each([
    ["clusters", 0x1c, 4, "clusters of 16384 bytes"],
    ["blocks larger than a page", 0x18, 6, "blocks of 65536 bytes, larger than a page"],
    ["smaller groups", 0x20, 8192, "8192 blocks per group"],
    ["default mount options", 0x100, 0x20, "default mount options 0x20"],
  ])("not %s", (_, at, value, said) => {
    const bytes = superblock(...USUAL);
    bytes.writeUInt32LE(value, at);
    expect(notModelled(variant, parseSuperblock(bytes))).toContain(said);
  });

  test("not a mount option that it was not told of", () => {
    const other = { ...variant, mountOptions: ["nodelalloc,data=writeback"] };
    const said = "the model does not know: mount option data=writeback";
    expect(notModelled(other, parseSuperblock(superblock(...USUAL)))).toBe(said);
  });
});

test("a file system has a journal where mkfs made one", () => {
  const [_, incompat, ro_compat] = USUAL;
  const without = parseSuperblock(superblock(0, incompat, ro_compat));
  expect(asMade(variant, without).journal).toBe("none");
  expect(asMade(variant, parseSuperblock(superblock(...USUAL))).journal).toBe("ordered");
});
