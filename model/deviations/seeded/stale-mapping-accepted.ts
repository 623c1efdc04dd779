import { BH_Delay } from "../../include/types.ts";
import type { Inode, MapBlocks } from "../../include/types.ts";
import { seeded } from "../deviation.ts";

export const staleMappingAccepted = seeded({
  id: "stale-mapping-accepted",
  claim:
    "A write reserves nothing where an earlier one had reserved, though that was given back since.",
  reason:
    "A mapping that is kept from write to write is used though the extent status sequence counter has moved on.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 0 },
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
    ],
  },
  visible: "step",
  override: (base) => {
    const kept = new WeakMap<Inode, MapBlocks>();
    return {
      ext4_da_map_blocks(inode, map) {
        const last = kept.get(inode);
        if (last?.m_lblk === map.m_lblk && last.m_len === map.m_len) {
          map.m_flags = BH_Delay;
          return 0;
        }
        const error = base.ext4_da_map_blocks(inode, map);
        if ((map.m_flags & BH_Delay) !== 0) kept.set(inode, { ...map });
        return error;
      },
    };
  },
});
