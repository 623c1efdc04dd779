/**
 * What is promised of a file after the power was cut.
 */
import { IntervalMap } from "../../../model/include/interval-map.ts";
import { dataRanges, sameMap } from "../../case/extents.ts";
import type { CutFile, Extent } from "../../case/observation.ts";
import type { Contents } from "../step/contents.ts";
import type { ContractPromise } from "../step/step.ts";

const clean: ContractPromise = {
  id: "recovers-clean",
  claim: "After a power cut the file system mounts, and e2fsck has nothing to say of it.",
  severity: "file system",
  about: ["power-cut"],
  source:
    "Documentation/filesystems/ext4/journal.rst: the journal protects the file system against metadata inconsistencies in the case of a system crash",
  check({ seen }) {
    const [complaint] = seen.cut?.complaints ?? [];
    return complaint === undefined ? undefined : `after a power cut: ${complaint}`;
  },
};

const everywhere = new IntervalMap<true>();
everywhere.set(0, Infinity, true);

/**
 * What is wrong with the first byte in `where` that is not what it must be, of the bytes that the
 * file's data ranges hold.
 */
function otherThanSynced(
  file: CutFile,
  bytes: Uint8Array,
  where: IntervalMap<true>,
  contents: Contents,
  blockSize: number,
): string | undefined {
  let at = 0;
  for (const { pos, end } of dataRanges(file, blockSize)) {
    for (const part of where.within(pos, end)) {
      const [from, to] = [part.start - pos + at, part.end - pos + at];
      const wrong = contents.firstWrong(bytes.subarray(from, to), part.start);
      if (wrong < 0) continue;
      return `after a power cut byte ${part.start + wrong} is not what was synced`;
    }
    at += end - pos;
  }
  return undefined;
}

const syncedSurvives: ContractPromise = {
  id: "synced-survives",
  claim: "What fsync returned for is there after a power cut, if nothing has changed it since.",
  severity: "data",
  about: ["power-cut"],
  source:
    "fsync(2): all changed information can be retrieved even after the system crashes or is rebooted",
  check({ seen: { cut }, synced, contents, options }) {
    if (cut === undefined || synced === undefined) return undefined;
    const { file } = cut;
    if (file === undefined) return "the file is gone after a power cut, though it was synced";
    if (file.i_size !== synced.i_size) {
      return `after a power cut st_size is ${file.i_size}, was ${synced.i_size} when it was synced`;
    }
    if (!sameMap(file.map, synced.map)) {
      return "after a power cut the file has other blocks than it had when it was synced";
    }
    if (file.bytes === undefined || !contents.known) return undefined;
    return otherThanSynced(file, file.bytes, everywhere, contents, options.blockSize);
  },
};

const durableSurvives: ContractPromise = {
  id: "synced-bytes-survive",
  claim:
    "Bytes that fsync, or a write with O_SYNC or O_DSYNC, returned for are there after a power cut, whatever else was done to the file.",
  severity: "data",
  about: ["power-cut"],
  source:
    "open(2): by the time write(2) with O_DSYNC returns, the output data and the metadata needed to retrieve it have been transferred to the underlying hardware; fsync(2)",
  check({ seen: { cut }, synced, durable, contents, options, sizeRefused }) {
    // Of a file that nothing has changed since, "synced-survives" says more.
    if (cut === undefined || synced !== undefined || durable.size === 0) return undefined;
    const { file } = cut;
    if (file === undefined) return "the file is gone after a power cut, though it has synced bytes";
    if (file.i_size < durable.end && !sizeRefused) {
      return `after a power cut st_size is ${file.i_size}, though byte ${durable.end - 1} was synced`;
    }
    if (file.bytes === undefined || !contents.known) return undefined;
    const other = otherThanSynced(file, file.bytes, durable, contents, options.blockSize);
    if (other !== undefined) return other;
    const lost = firstWithoutBlock(file.map, durable, contents, options.blockSize);
    return lost < 0 ? undefined : `after a power cut byte ${lost}, which was synced, has no block`;
  },
};

/**
 * The first of the bytes in `durable` that was written and lies in no block with data; -1 where
 * there is none.
 */
function firstWithoutBlock(
  map: readonly Extent[],
  durable: IntervalMap<true>,
  contents: Contents,
  blockSize: number,
): number {
  const bare = durable.clone();
  for (const { lblk, len, state } of map) {
    if (state === "written") bare.delete(lblk * blockSize, (lblk + len) * blockSize);
  }
  for (const { start, end } of bare) {
    const byte = contents.firstIn(start, end);
    if (byte >= 0) return byte;
  }
  return -1;
}

export const crashPromises: readonly ContractPromise[] = [clean, syncedSurvives, durableSurvives];
