import { folio_next_pos } from "../../mm/folio.ts";
import { seeded } from "../deviation.ts";

export const mkwritePastEof = seeded({
  id: "mkwrite-past-eof",
  claim: "A store through a mapping reserves blocks past EOF, which nothing will ever write.",
  reason: "The fault maps the whole folio, not the part of it before EOF.",
  witness: {
    kernel: "series v2",
    variant: "1k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 1024, readable: 1024 },
      { op: "mmap_write", pos: 0, len: 1024 },
    ],
  },
  visible: "step",
  override: (base) => ({
    page_mkwrite(inode, folio) {
      const { i_size } = inode;
      const end = Math.min(folio_next_pos(folio), inode.i_sb.s_maxbytes);
      inode.i_size = Math.max(i_size, end);
      const error = base.page_mkwrite(inode, folio);
      inode.i_size = i_size;
      return error;
    },
  }),
});
