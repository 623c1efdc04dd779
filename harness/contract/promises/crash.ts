/**
 * What is promised of a file after the power was cut.
 */
import { dataRanges, sameMap } from "../../extents.ts";
import type { ContractPromise } from "../step.ts";

const clean: ContractPromise = {
  id: "recovers-clean",
  claim: "After a power cut the file system mounts, and e2fsck has nothing to say of it.",
  source:
    "Documentation/filesystems/ext4/journal.rst: the journal protects the file system against metadata inconsistencies in the case of a system crash",
  check({ seen }) {
    const [complaint] = seen.cut?.complaints ?? [];
    return complaint === undefined ? undefined : `after a power cut: ${complaint}`;
  },
};

const syncedSurvives: ContractPromise = {
  id: "synced-survives",
  claim: "What fsync returned for is there after a power cut, if nothing has changed it since.",
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
    let at = 0;
    for (const { pos, end } of dataRanges(file, options.blockSize)) {
      const wrong = contents.firstWrong(file.bytes.subarray(at, at + end - pos), pos);
      if (wrong >= 0) return `after a power cut byte ${pos + wrong} is not what was synced`;
      at += end - pos;
    }
    return undefined;
  },
};

export const crashPromises: readonly ContractPromise[] = [clean, syncedSurvives];
