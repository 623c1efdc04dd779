/**
 * What filefrag(8) prints, as extents. It asks the same ioctls as `fiemap.ts`, with other people's
 * code.
 */
import type { CacheExtent } from "../case/observation.ts";
import { appendMerged } from "./merged-extents.ts";

/** "  1:  4..  7:  8705..  8708:  4:  4: unwritten,eof", in blocks of the file system. */
const LINE = /^ *\d+: +(\d+)\.\. *(\d+): +\d+\.\. *\d+: +\d+: +(?:\d+:)? *(\S*)/;

function stateOf(flags: readonly string[]): CacheExtent["state"] {
  if (flags.includes("hole")) return "hole";
  if (flags.includes("unwritten")) return "unwritten";
  if (flags.includes("delalloc")) return "delayed";
  return "written";
}

/**
 * The extents that `filefrag -e` or `filefrag -E` printed, merged by state, and how many lines they
 * were.
 */
export function parseFilefrag(stdout: string): { extents: CacheExtent[]; pieces: number } {
  const extents: CacheExtent[] = [];
  let pieces = 0;
  for (const line of stdout.split("\n")) {
    const match = LINE.exec(line);
    if (match === null) continue;
    pieces++;
    const lblk = Number(match[1]);
    // The length column is 0 for a hole.
    const len = Number(match[2]) - lblk + 1;
    appendMerged(extents, lblk, len, stateOf(match[3]!.split(",")));
  }
  return { extents, pieces };
}
