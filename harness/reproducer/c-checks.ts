/**
 * What a C program looks at, and how it says that.
 */
import { describePages } from "../case/observation.ts";
import type { CachedPages, Extent } from "../case/observation.ts";
import {
  BLOCKS,
  CALLED,
  CACHE,
  EXPECT,
  EXPECT_TEXT,
  MAP,
  PAGES,
  RESERVED,
  SAME,
  SAME_IN_FILE,
  STAT,
} from "./c-helpers.ts";
import type { CProgram } from "./c-program.ts";
import type { Run } from "./runs.ts";
import { mapText } from "./symptom.ts";
import type { FileLook } from "./symptom.ts";

const expectedOf = (program: CProgram, { from }: Run): string =>
  from === undefined ? "NULL" : program.buffer(from.tag, from.readable);

/** Hold what was read, which lies in `memory`, against the runs. */
export function checkRead(program: CProgram, runs: readonly Run[], memory: string): void {
  for (const run of runs) {
    program.use(SAME);
    const { pos, len } = run;
    program.lines(`same(${memory} + ${pos}, ${pos}, ${len}, ${expectedOf(program, run)});`);
  }
}

function checkBytes(program: CProgram, fd: string, runs: readonly Run[]): void {
  for (const run of runs) {
    program.use(SAME_IN_FILE);
    const { pos, len } = run;
    program.lines(`same_in_file(${fd}, ${pos}, ${len}, ${expectedOf(program, run)});`);
  }
}

/** A kernel before 6.5 does not say: that matters only where nothing else is looked at. */
function checkPages(program: CProgram, fd: string, look: FileLook, pages: CachedPages): void {
  program.use(PAGES);
  program.use(EXPECT_TEXT);
  const line = `expect_text("pages", "${describePages(pages)}", pages(${fd}));`;
  if (Object.keys(look).length === 1) {
    program.lines(line);
    return;
  }
  program.use(CALLED);
  program.lines(`if (called(syscall(451, -1, NULL, NULL, 0)) != -ENOSYS)`, `\t${line}`);
}

/** Blocks of a map whose state the extent status cache must not contradict, one for each extent. */
function checkCache(program: CProgram, fd: string, map: readonly Extent[]): void {
  program.use(CACHE);
  for (const { lblk, len, state } of map) {
    program.lines(`expect_cached(${fd}, ${lblk}, "${state}");`);
    if (len > 1) program.lines(`expect_cached(${fd}, ${lblk + len - 1}, "${state}");`);
  }
}

/** Look at the file of descriptor `fd`. */
export function checkFile(program: CProgram, fd: string, look: FileLook): void {
  const { i_size, st_blocks, map, cache, pages, reserved, bytes } = look;
  const status = `status(${fd})`;
  if (pages !== undefined) checkPages(program, fd, look, pages);
  if (cache !== undefined) checkCache(program, fd, cache);
  if (i_size !== undefined) {
    program.use(EXPECT);
    program.use(STAT);
    program.lines(`expect("i_size", ${i_size}, ${status}.st_size);`);
  }
  if (st_blocks !== undefined) {
    program.use(BLOCKS);
    program.use(STAT);
    const { units, tree } = st_blocks;
    program.lines(`expect_blocks(${units}, ${status}.st_blocks, ${tree});`);
  }
  if (map !== undefined) {
    program.use(MAP);
    program.use(EXPECT_TEXT);
    program.lines(`expect_text("map", "${mapText(map)}", map(${fd}));`);
  }
  if (reserved !== undefined) {
    program.use(EXPECT);
    program.use(RESERVED);
    program.lines(`expect("reserved", ${reserved}, reserved());`);
  }
  if (bytes !== undefined) checkBytes(program, fd, bytes);
}
