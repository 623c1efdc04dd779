/**
 * Conversion of an unwritten extent by a write that does not go through I/O completion (nodelalloc,
 * dioread_lock): rather than split the extent, the kernel may write zeros to up to
 * s_extent_max_zeroout_kb around the blocks and mark them written too.
 *
 * Kernel:   fs/ext4/extents.c ext4_ext_convert_to_initialized()
 * Left out: the extent tree itself. The kernel decides by the extent as it lies in the tree, and
 *           neighbours of one state are one extent only where the allocator placed them side by
 *           side; and it skips the zeros where it can move the blocks to a written neighbour in the
 *           same leaf. The model takes logical neighbours to be one extent and placed side by side
 *           unless it was told of a break between them (Inode.breaks), and notes in `maybeZeroed`
 *           every block for which that may still be wrong: the comparison accepts either state
 *           there, and the model adopts the one that it is shown. The content is zero both ways.
 */
import { assert } from "../include/assert.ts";
import { UNWRITTEN, WRITTEN } from "../include/types.ts";
import type { Inode, MapBlocks } from "../include/types.ts";

interface Range {
  start: number;
  end: number;
}

/**
 * Whether the kernel moves the blocks to a written neighbour instead of splitting (both conditions
 * L1, L2 there).
 */
function transfersToNeighbour(inode: Inode, map: MapBlocks, extent: Range): boolean {
  const mapEnd = map.m_lblk + map.m_len;
  if (map.m_len >= extent.end - extent.start) return false;
  const joins = (lblk: number, neighbour: number): boolean =>
    !inode.breaks.has(lblk) && inode.i_extents.get(neighbour) === WRITTEN;
  if (map.m_lblk === extent.start) return joins(extent.start, extent.start - 1);
  return mapEnd === extent.end && joins(extent.end, extent.end);
}

/**
 * The part of a run of unwritten blocks around `lblk` that is placed in one piece, and so is one
 * extent.
 */
function pieceAround(inode: Inode, lblk: number, run: Range): Range {
  const piece = { start: run.start, end: run.end };
  for (const at of inode.breaks) {
    if (at > piece.start && at <= lblk) piece.start = at;
    if (at > lblk && at < piece.end) piece.end = at;
  }
  return piece;
}

/** The blocks that become written besides [m_lblk, m_lblk + m_len): the result contains the map. */
function zeroedRange(inode: Inode, map: MapBlocks, extent: Range): Range {
  const range = { start: map.m_lblk, end: map.m_lblk + map.m_len };
  const eof_block = Math.max(Math.ceil(inode.i_disksize / inode.i_sb.s_blocksize), range.end);
  const max_zeroout = extent.end <= eof_block ? inode.i_sb.s_extent_max_zeroout : 0;
  const allocated = extent.end - map.m_lblk;
  if (max_zeroout === 0 || allocated <= map.m_len) return range;
  if (allocated <= max_zeroout) range.end = extent.end;
  if (range.end - extent.start < max_zeroout) range.start = extent.start;
  return range;
}

/** The range less what is known not to have been zeroed on either side of the map. */
function lessUnwritten(inode: Inode, map: MapBlocks, range: Range): Range {
  const staysUnwritten = inode.oracle?.staysUnwritten;
  if (staysUnwritten === undefined) return range;
  const mapEnd = map.m_lblk + map.m_len;
  const any = (from: number, to: number): boolean => {
    for (let lblk = from; lblk < to; lblk++) if (staysUnwritten(lblk)) return true;
    return false;
  };
  return {
    start: any(range.start, map.m_lblk) ? map.m_lblk : range.start,
    end: any(mapEnd, range.end) ? mapEnd : range.end,
  };
}

/** fs/ext4/extents.c ext4_ext_convert_to_initialized() */
export function ext4_ext_convert_to_initialized(inode: Inode, map: MapBlocks): void {
  const run = inode.i_extents.find(map.m_lblk);
  assert(run?.value === UNWRITTEN, "only an unwritten extent is initialized");
  const extent = pieceAround(inode, map.m_lblk, run);
  const mapEnd = map.m_lblk + map.m_len;
  assert(
    extent.start <= map.m_lblk && mapEnd <= extent.end,
    "blocks that are initialized lie in one extent",
  );
  const zeroed = transfersToNeighbour(inode, map, extent)
    ? { start: map.m_lblk, end: mapEnd }
    : lessUnwritten(inode, map, zeroedRange(inode, map, extent));
  assert(
    extent.start <= zeroed.start && zeroed.start <= map.m_lblk,
    "zeros before the blocks that are written begin in their extent",
  );
  assert(
    mapEnd <= zeroed.end && zeroed.end <= extent.end,
    "zeros behind the blocks that are written end in their extent",
  );

  const reach = inode.i_sb.s_extent_max_zeroout;
  const left = Math.max(run.start, map.m_lblk - reach);
  const right = Math.min(run.end, mapEnd + reach);
  inode.maybeZeroed.set(left, map.m_lblk, true);
  inode.maybeZeroed.set(mapEnd, right, true);

  inode.i_extents.set(zeroed.start, zeroed.end, WRITTEN);
  const { s_op } = inode.i_sb;
  s_op.zeroesOnDisk(inode, zeroed.start, map.m_lblk);
  s_op.zeroesOnDisk(inode, mapEnd, zeroed.end);
  s_op.ext4_es_insert_extent(inode, zeroed.start, map.m_lblk - zeroed.start, WRITTEN);
  s_op.ext4_es_insert_extent(inode, mapEnd, zeroed.end - mapEnd, WRITTEN);
}

/**
 * Take over, for the blocks of [from, to) whose state the model could only guess, the state that
 * was seen: `stateAt` gives the state of the allocated block and where that state ends. Returns how
 * many blocks had been guessed wrong.
 */
export function adoptZeroed(
  inode: Inode,
  from: number,
  to: number,
  stateAt: (lblk: number) => { state: number | undefined; end: number },
): number {
  let wrong = 0;
  for (const { start, end } of inode.maybeZeroed.within(from, to)) {
    let lblk = start;
    while (lblk < end) {
      const seen = stateAt(lblk);
      const until = Math.min(seen.end, end);
      assert(until > lblk, "a state that was seen lasts for a block at least");
      if (seen.state === WRITTEN || seen.state === UNWRITTEN) {
        wrong += adoptRange(inode, lblk, until, seen.state);
      }
      lblk = until;
    }
  }
  inode.maybeZeroed.delete(from, to);
  return wrong;
}

function adoptRange(
  inode: Inode,
  lblk: number,
  end: number,
  state: typeof WRITTEN | typeof UNWRITTEN,
): number {
  let wrong = 0;
  for (const extent of Array.from(inode.i_extents.within(lblk, end))) {
    if (extent.value === state) continue;
    wrong += extent.end - extent.start;
    inode.i_extents.set(extent.start, extent.end, state);
    inode.i_es_tree.set(extent.start, extent.end, state);
    const committed = inode.disk?.committed;
    if (committed?.guessed === true) committed.i_extents.set(extent.start, extent.end, state);
    if (state === WRITTEN) inode.i_sb.s_op.zeroesOnDisk(inode, extent.start, extent.end);
    else inode.zeroedOnDisk.delete(extent.start, extent.end);
    inode.uncertain = true;
  }
  return wrong;
}
