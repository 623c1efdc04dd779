/**
 * What a file must be once it is on disk, by the model and by the contract.
 */
import { readFromDisk } from "../../model/mm/folio.ts";
import { bytesAt, unknownBytes, warnsAtUnmount } from "../../model/file-system.ts";
import type { Inode } from "../../model/include/types.ts";
import type { Contract } from "../contract/contract.ts";
import { extentMap } from "../lockstep/model-subject.ts";
import type { ExpectedFile } from "../subjects/same-on-disk.ts";

/** Of `len` bytes at `pos`, those in blocks that replaying the journal may bring back. */
function bytesZeroedOnDisk(
  { zeroedOnDisk, i_sb }: Inode,
  pos: number,
  len: number,
): { start: number; end: number }[] {
  const size = i_sb.s_blocksize;
  const blocks = zeroedOnDisk.within(Math.floor(pos / size), Math.ceil((pos + len) / size));
  return [...blocks].map(({ start, end }) => ({
    start: Math.max(pos, start * size),
    end: Math.min(pos + len, end * size),
  }));
}

/** What a file must be once it is on disk: only what i_disksize covers survives. */
export function expectedFile(inode: Inode, path: string, ino: number): ExpectedFile {
  readFromDisk(inode, 0, Infinity);
  return {
    path,
    ino,
    i_size: inode.i_disksize,
    map: extentMap(inode).filter(({ state }) => state !== "delayed"),
    warnsAtUnmount: warnsAtUnmount(inode),
    unknown: (pos, len) => unknownBytes(inode, pos, len),
    unknownAfterCut: (pos, len) => bytesZeroedOnDisk(inode, pos, len),
    readExpected: (pos, len) => bytesAt(inode, pos, Math.min(len, inode.i_disksize - pos)),
  };
}

/**
 * The same where only the contract knows the file. Whether the kernel warns at unmount is a matter
 * of folios, of which it knows nothing.
 */
export function promisedFile(
  { i_size, map, contents }: NonNullable<ReturnType<Contract["file"]>>,
  path: string,
  ino: number,
): ExpectedFile {
  return {
    path,
    ino,
    i_size,
    map,
    warnsAtUnmount: undefined,
    unknown: (pos, len) => (contents.known ? [] : [{ start: pos, end: pos + len }]),
    readExpected: (pos, len) => contents.bytesAt(pos, Math.min(len, i_size - pos)),
  };
}
