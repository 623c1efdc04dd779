import { describe, expect, test } from "vitest";
import { createFileSystem, createInode, fsync, pwrite } from "../file-system.ts";
import { kernels } from "../kernels/kernels.ts";
import type { ModelConfig } from "../tables.ts";
import { DELAYED, UNWRITTEN, WRITTEN } from "../include/types.ts";
import type { Inode } from "../include/types.ts";

const BLOCK = 4096;

const config: ModelConfig = {
  ...kernels["6.18"],
  // Folios of a page: a write looks at the counters before each.
  changes: kernels["6.18"].changes.filter((change) => change !== "large-folios"),
  blockSize: BLOCK,
  delalloc: true,
  journal: "ordered",
  dioread: "nolock",
  freeBlocks: 100,
  reserve: { watermark: 0, error: 0, reserved: 0 },
};

function fileOn(changes: Partial<ModelConfig>): Inode {
  return createInode(createFileSystem({ ...config, ...changes }));
}

const write = (inode: Inode, lblk: number, blocks: number): number =>
  pwrite(inode, lblk * BLOCK, blocks * BLOCK, blocks * BLOCK, 1);

const delayed = ({ i_es_tree }: Inode): number => {
  let blocks = 0;
  for (const { start, end, value } of i_es_tree) if (value === DELAYED) blocks += end - start;
  return blocks;
};

describe("ext4_nonda_switch", () => {
  test("up to half of what is free is delayed, and the block after the one more has it written back", () => {
    const inode = fileOn({});
    write(inode, 0, 51);
    expect([delayed(inode), inode.i_sb.s_wroteBack]).toEqual([51, false]);
    write(inode, 51, 1);
    expect([delayed(inode), inode.i_sb.s_wroteBack]).toEqual([1, true]);
    expect(inode.i_extents.get(0)).toBe(WRITTEN);
  });

  test("the files of the case are written back, not only the one that is written to", () => {
    const inode = fileOn({});
    const other = createInode(inode.i_sb);
    write(other, 0, 51);
    write(inode, 0, 1);
    expect([delayed(other), delayed(inode)]).toEqual([0, 1]);
  });

  test.each([
    ["nolock", UNWRITTEN],
    ["lock", WRITTEN],
  ] as const)(
    "below the watermark blocks are allocated at once, with dioread_%s",
    (dioread, state) => {
      const inode = fileOn({ dioread, reserve: { watermark: 90, error: 0, reserved: 0 } });
      write(inode, 0, 10);
      expect(delayed(inode)).toBe(10);
      write(inode, 10, 2);
      expect(delayed(inode)).toBe(11);
      expect(inode.i_extents.get(11)).toBe(state);
    },
  );

  test("without room being told of, all is delayed", () => {
    const { reserve: _, ...without } = config;
    const inode = createInode(createFileSystem(without));
    write(inode, 0, 90);
    expect(delayed(inode)).toBe(90);
  });

  test.each([
    ["the counters may be wrong by more than decides", { error: 10 }, 40, true],
    ["they may not", { error: 10 }, 30, false],
    ["hardly more is left than is reserved", { reserved: 70 }, 31, true],
    ["more is left", { reserved: 70 }, 30, false],
  ])("%s", (_name, reserve, blocks, beyond) => {
    const inode = fileOn({ reserve: { watermark: 0, error: 0, reserved: 0, ...reserve } });
    write(inode, 0, blocks);
    expect(inode.i_sb.beyondModel).toBe(beyond);
  });

  test("what was freed and not committed decides where writeback ends", () => {
    const inode = fileOn({});
    inode.i_sb.s_mb_free_pending = 60;
    write(inode, 0, 52);
    expect(inode.i_sb.beyondModel).toBe(true);
    const committed = fileOn({});
    committed.i_sb.s_mb_free_pending = 60;
    fsync(committed);
    write(committed, 0, 52);
    expect(committed.i_sb.beyondModel).toBe(false);
  });
});
