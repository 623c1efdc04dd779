/**
 * Lists of extents are merged by state as they are read: how the allocator split them is not
 * compared.
 */
import type { CacheExtent } from "../case/observation.ts";

/**
 * Adds blocks behind all others of a sorted list; joins them to the last extent where they continue
 * it in its state.
 */
export function appendMerged<State extends CacheExtent["state"]>(
  extents: { lblk: number; len: number; state: State }[],
  lblk: number,
  len: number,
  state: State,
): void {
  const last = extents[extents.length - 1];
  if (last !== undefined && last.state === state && last.lblk + last.len === lblk) last.len += len;
  else extents.push({ lblk, len, state });
}
