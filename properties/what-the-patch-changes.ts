/**
 * model/what-the-patch-changes.md: for each two tables of the model, the shortest sequence that
 * tells them apart for each kind of observation. `npm run what-the-patch-changes` writes it anew.
 *
 * The tables are found, what is said about them is not: what-the-patch-changes.test.ts holds it
 * against every state of a small file.
 */
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { alphabetOf } from "../harness/explore/alphabet.ts";
import { kindText, sidesOf } from "../harness/commands/differences.ts";
import { differences } from "../harness/differences/differences.ts";
import type { Differences } from "../harness/differences/differences.ts";
import { KINDS } from "../harness/differences/seen.ts";
import { describeOperation } from "../harness/operations/operation.ts";
import { counted } from "../harness/text/numbers.ts";

/**
 * Two sides (harness/differences/side.ts), how their columns are headed, and what the table says.
 */
export interface Comparison {
  title: string;
  a: string;
  b: string;
  heads: readonly [string, string];
  text: readonly string[];
}

/** Operations of the longest sequence on two blocks: three take a second, four ten. */
const DEPTH = 3;

const PATHS = ["buffer_head", "iomap"] as const;

/** In the order of the document. */
export const comparisons: readonly Comparison[] = [
  {
    title: "4k-delalloc: buffer_head and iomap",
    a: "4k-delalloc",
    b: "4k-delalloc-iomap",
    heads: PATHS,
    text: [
      "Neither promise shows: on both paths a write reserves, a short or failed one gives back what it did not use, and writeback allocates unwritten blocks and converts them when the data is on disk. This is buffer_head as it should be; released kernels keep the reservation (below).",
      "What shows comes of copies that fail. Into an unwritten block buffer_head then puts dirty zeros for what was not copied (`folio_zero_new_buffers()`), which writeback writes: the block ends written. iomap leaves it clean, and so unwritten. And buffer_head leaves in the page cache the folio that it had prepared, as large as the write was to be, while `iomap_write_failed()` drops what lies past EOF: what is written next lies in one folio on the one path and in two on the other, and a store through a mapping and the writeback of a range go by whole folios. All of it reads alike.",
    ],
  },
  {
    title: "4k-nodelalloc: buffer_head and iomap",
    a: "4k-nodelalloc",
    b: "4k-nodelalloc-iomap",
    heads: PATHS,
    text: [
      "The first promise, both halves of it. Without delayed allocation buffer_head allocates blocks in the write and marks them written at once, whatever `dioread_nolock` says (`ext4_should_dioread_nolock()`), iomap unwritten ones. So buffer_head must truncate after a short or failed write past EOF, or written blocks would be left there that hold what lay on the disk before. On iomap what the write had mapped stays allocated, past EOF as well and after an fsync; it is unwritten, so it reads as zeros.",
      "Inside i_size buffer_head does not truncate either: it makes dirty zeros of what the copy did not come to, in all new blocks that were to be written in the folio. iomap leaves those unwritten, and has allocated none beyond the mapping in which the copy ended.",
    ],
  },
  {
    title: "4k-dioread-lock: buffer_head and iomap",
    a: "4k-dioread-lock",
    b: "4k-dioread-lock-iomap",
    heads: PATHS,
    text: [
      "`dioread_lock` with delayed allocation. On buffer_head writeback allocates written blocks, and turns unwritten ones into written ones before the data is on disk, where ext4 may zero and convert the whole of a small extent: block 1 ends written, though nothing was ever put there. iomap does not ask for the option: blocks are unwritten until the data is on disk, and only those of the data are converted. That is the first promise. Nothing is truncated here after a short write on either path, since the blocks were only reserved; what else shows is as on 4k-delalloc.",
      "The calls of this table wait for the data: that new blocks are marked written before their data is on disk shows in none of them.",
    ],
  },
  {
    title: "1k-delalloc: buffer_head and iomap",
    a: "1k-delalloc",
    b: "1k-delalloc-iomap",
    heads: PATHS,
    text: [
      "Four blocks to a page. Neither promise shows. buffer_head again writes zeros where a failed copy went to an unwritten block. The other way round, a store through a mapping makes all of its folio dirty on iomap (`iomap_folio_mkwrite_iter()`), also the blocks past EOF, so that a block which fallocate puts there afterwards is written, with zeros; on buffer_head only blocks up to EOF become dirty (`block_page_mkwrite()`).",
    ],
  },
  {
    title: "iomap: 4k-delalloc and 4k-nodelalloc",
    a: "4k-delalloc-iomap",
    b: "4k-nodelalloc-iomap",
    heads: ["delalloc", "nodelalloc"],
    text: [
      "The two promises side by side: what a short or failed write did not use is given back where it was reserved, and stays, unwritten, where it was allocated. What is written is delayed here and unwritten there until it is synced, and the same on disk after that.",
    ],
  },
  {
    title: "The second promise: iomap as promised and as posted",
    a: "4k-delalloc-iomap",
    b: "4k-delalloc-iomap+delayed-blocks-not-new",
    heads: ["as promised", "as posted"],
    text: [
      "One call breaks it: a delayed write of which nothing can be copied keeps its block reserved. A second, `fsync()`, shows that it is for good: nothing dirty lies over the block, so no writeback will ever come to it. `ext4_iomap_buffered_da_write_end()` releases only where the mapping is `IOMAP_F_NEW`, which comes of `EXT4_MAP_NEW`, and nothing in the series sets that for a block which `ext4_da_map_blocks()` has just reserved; with the flag set there, it is the other column.",
      "It costs more than space: with data beside it the stale block is part of their delayed extent, which writeback allocates as a whole, so that past EOF an unwritten block stays; and a direct read that comes to a delayed block fails with EIO. Inside i_size a block may keep its reservation for a good reason: a store through a mapping had made it dirty before, so it will be written.",
    ],
  },
  {
    title: "iomap as posted: version 1 and version 2",
    a: "4k-delalloc-iomap@series-v1+known",
    b: "4k-delalloc-iomap@series-v2+known",
    heads: ["version 1", "version 2"],
    text: [
      "Both break the second promise. What differs comes of how far writeback maps: version 1 takes the length of what is dirty, which is in bytes, for one in blocks (`ext4_iomap_map_blocks()`), so a stale block beside data is allocated with it, and stays, unwritten; version 2 maps up to the end of the range that is written back, and the stale block stays reserved. Where zero_range cuts blocks off a large folio, `iomap_invalidate_folio()` of 6.19 makes them clean; before that they were written again, with zeros.",
      "Calls that begin or end within a block show two more (`--alphabet bytes`): dirty folios over unwritten blocks are zeroed in memory, where version 1 wrote them out first, and a file that grows has the block of its old EOF zeroed.",
    ],
  },
  {
    title: "iomap as posted: version 2 and October 2026",
    a: "4k-delalloc-iomap@series-v2+known",
    b: "4k-delalloc-iomap@series-7.4-dev+known",
    heads: ["version 2", "October 2026"],
    text: [
      "The series as it stood in ext4's development tree for 7.4, on 7.3. The second promise is kept: `ext4_da_map_blocks()` says of blocks that it has just reserved that they are new, so what a short or failed write did not use is given back. What is dirty of a hole is written back before its blocks go, in whole folios, so that a block beside the hole is written where it was delayed.",
      "Calls that begin or end within a block show more (`--alphabet bytes`). The zeroed tail of a truncated file stays dirty, and its block delayed; version 2 wrote it out at once. And EOF's block is zeroed before EOF moves on, as in 7.3, with what that has of a bug on this path: `zero-range-keeps-bytes`. The release has one too, which takes a write that sleeps: `release-takes-block-of-eof`.",
    ],
  },
  {
    title: "buffer_head of released kernels, and iomap as promised",
    a: "4k-delalloc@6.18+short-write-keeps-reservation+failed-write-moves-size+dirty-tag-outlives-dirt",
    b: "4k-delalloc-iomap",
    heads: ["buffer_head of 6.18", "iomap"],
    text: [
      "What a user of 6.18 would see change with the patch, were its second promise kept: buffer_head has no step that gives back what a short delayed write reserved; since large folios came (6.16) it reserves for many blocks at a time. It moves i_size to the start of a write past EOF that has failed. Unmounting may warn that data will be lost, though none is. The rest is of zeros and folios, as on 4k-delalloc above; also, punching a hole into a dirty large folio splits it on iomap, which keeps no state for a folio that was written whole, and not on buffer_head, whose dirty buffers hold it together.",
    ],
  },
  {
    title: "Truncation after a short write, on buffer_head",
    a: "4k-nodelalloc@6.18",
    b: "4k-nodelalloc@6.18+short-write-frees-preallocation",
    heads: ["as it should be", "as in 6.18"],
    text: [
      "Why it is worth something not to have to truncate: in released kernels the truncation goes back to i_size, not to what the file had before the write, and takes with it what fallocate had put past EOF. On iomap there is no such truncation to go wrong.",
    ],
  },
];

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function tableOf({ found }: Differences, [a, b]: readonly [string, string]): string[] {
  return [
    `| kind | shortest sequence | ${a} | ${b} |`,
    "|---|---|---|---|",
    ...found.map((one) => {
      const calls = one.operations.map(describeOperation).join("; ");
      return `| ${cell(kindText(one))} | \`${cell(calls)}\` | ${cell(one.a)} | ${cell(one.b)} |`;
    }),
  ];
}

/** What two sides differ in, on files of a few blocks; `depth` operations at most. */
export function compared(
  { a, b }: Pick<Comparison, "a" | "b">,
  { blocks, depth, goOn }: { blocks: number; depth: number; goOn: boolean },
): Differences {
  const [x, y] = sidesOf(a, b);
  const { blockSize } = x.config;
  const alphabet = alphabetOf("blocks", blocks, blockSize);
  return differences({ a: x, b: y, alphabet, most: blocks * blockSize, depth, goOn });
}

function searched(result: Differences, where: string): string {
  const of = `${counted(result.pairs, "pair")} of states, ${counted(result.tried, "operation")}`;
  return `- ${where} (${of}): alike in ${result.alike.join(", ")}.`;
}

/** The part of the document that is about one comparison, as Markdown. */
export function sectionOf(comparison: Comparison): string {
  const { title, a, b, heads, text } = comparison;
  const two = compared(comparison, { blocks: 2, depth: DEPTH, goOn: false });
  const one = compared(comparison, { blocks: 1, depth: Infinity, goOn: true });
  return [
    `## ${title}`,
    "",
    ...text.flatMap((paragraph) => [paragraph, ""]),
    `\`ext4-conform differences ${a} ${b}\``,
    "",
    ...tableOf(two, heads),
    "",
    searched(two, `Two blocks, up to ${two.deepest} operations`),
    searched(
      one,
      one.closed
        ? `One block, every sequence, past differences of blocks too; closed at depth ${one.deepest}`
        : `One block, up to ${one.deepest} operations, past differences of blocks too`,
    ),
    "",
  ].join("\n");
}

/** What comes before the first comparison, as Markdown. */
export function introduction(): string {
  return [
    "# What the patch changes",
    "",
    "Found by the model alone, and written by `npm run what-the-patch-changes`; a test holds it to what the model does. Two tables of functions (`tables.ts`) are given the same calls, on two files of one or two blocks: every operation between block boundaries, and every write cut at each, in every state that the two come to, until they are seen to differ. For each kind of difference there is a shortest sequence, whose last call shows it.",
    "",
    "The patch makes two promises:",
    "",
    "1. New blocks are always allocated unwritten, so that nothing has to be truncated after a short or failed write.",
    "2. A short or failed write with delayed allocation gives back the reservation that it did not use.",
    "",
    "In short: the first shows where blocks are allocated in the write, on 4k-nodelalloc, and is kept. The second is what buffer_head should do too, and released kernels do not; the patch as posted breaks it, by one call. No sequence that was tried shows a difference in what a call returns, in i_size or in the bytes that are read between buffer_head as it should be and iomap.",
    "",
    "Where no kernel is named it is that of version 2 of the series (6.19), mounted without `buffered_iomap` and with it; neither side has a deviation (`deviations/README.md`) that is not named. `readable` is how many bytes of a write can be copied, where that is not all. Kinds of difference:",
    "",
    ...Object.entries(KINDS).flatMap(([kind, what]) =>
      kind === "panic" ? [] : [`- ${kind}: ${what}`],
    ),
    "",
    "Not looked at: power cuts, second files, I/O errors, a lack of space or memory, writers that sleep. Where ext4 may zero the rest of a small unwritten extent, depending on where blocks lie, both take the same guess. What iomap has in the page cache no recording tells; on buffer_head it is what cachestat(2) counts on 6.18 and 7.3.",
    "",
  ].join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const file = process.argv[2] ?? "model/what-the-patch-changes.md";
  writeFileSync(file, [introduction(), ...comparisons.map(sectionOf)].join("\n"));
}
