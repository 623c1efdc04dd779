/**
 * Which lines ran: the kernel's counters and what the compiler noted of the objects, put together
 * by the compiler's gcov.
 *
 * Source: gcov(1), JSON format. A line has a count for each object and function that it was
 *           compiled into: they are added up.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import * as z from "zod";
import { EnvironmentError } from "../case/failure.ts";
import type { ObjectCounters } from "../subjects/gcov.ts";
import { run } from "../system/process.ts";
import { undoAtExit } from "../system/undo.ts";

/** What ran of one source file. */
export interface FileCoverage {
  /** In the tree: "fs/ext4/inode.c". */
  name: string;
  /** Absolute. */
  path: string;
  /** How often each line that holds code ran, by its number from 1. */
  lines: Map<number, number>;
  /** By name. */
  functions: Map<string, FunctionCoverage>;
}

export interface FunctionCoverage {
  /** Numbers of its first and last line. */
  first: number;
  last: number;
  calls: number;
}

/** The function that a line is in; undefined where it is in none. */
export function functionAt(number: number, { functions }: FileCoverage): string | undefined {
  return [...functions].find(([, { first, last }]) => first <= number && number <= last)?.[0];
}

const noted = z.object({
  current_working_directory: z.string(),
  files: z.array(
    z.object({
      file: z.string(),
      lines: z.array(z.object({ line_number: z.int(), count: z.number() })),
      functions: z.array(
        z.object({
          name: z.string(),
          start_line: z.int(),
          end_line: z.int(),
          execution_count: z.number(),
        }),
      ),
    }),
  ),
});

/** A source file of what is measured, the headers among them. */
const MEASURED = /(?:^|\/)(fs\/(?:ext4|iomap)\/[^/]+\.[ch])$/;

/** Lay the counters beside what the compiler noted, as gcov wants them. Their paths. */
function layOut(counters: readonly ObjectCounters[], folder: string): string[] {
  return counters.map(({ object, counters: bytes }, index) => {
    const notes = `${object}.gcno`;
    if (!existsSync(notes)) {
      throw new EnvironmentError(
        "missing-program",
        `what the compiler noted of this kernel is gone: ${notes}`,
        "Build the kernel again, with kernel build --coverage, on this machine.",
      );
    }
    // Objects of two folders may have one name.
    const place = join(folder, String(index));
    mkdirSync(place);
    symlinkSync(notes, join(place, basename(notes)));
    const file = join(place, `${basename(object)}.gcda`);
    writeFileSync(file, Buffer.from(bytes, "base64"));
    return file;
  });
}

/** What gcov says of the counters of one kernel, a value for each object. */
async function ask(counters: readonly ObjectCounters[]): Promise<z.infer<typeof noted>[]> {
  const folder = mkdtempSync(join(tmpdir(), "ext4-conform-gcov-"));
  const remove = undoAtExit(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const files = layOut(counters, folder);
    const { stdout, stderr } = await run("gcov", ["--json-format", "--stdout", ...files]);
    const mismatch = stderr.split("\n").find((line) => /mismatch|version '/.test(line));
    if (mismatch !== undefined || stdout === "") {
      throw new EnvironmentError(
        "process-failed",
        `gcov cannot read what this kernel counted: ${mismatch ?? stderr}`,
        "Build the kernel again, with the compiler that gcov is of.",
      );
    }
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => noted.parse(JSON.parse(line)));
  } finally {
    remove();
  }
}

type Files = Map<string, FileCoverage>;

function add(files: Files, { current_working_directory: from, files: ran }: z.infer<typeof noted>) {
  for (const { file, lines, functions } of ran) {
    const name = MEASURED.exec(file)?.[1];
    if (name === undefined) continue;
    let coverage = files.get(name);
    if (coverage === undefined) {
      coverage = { name, path: resolve(from, file), lines: new Map(), functions: new Map() };
      files.set(name, coverage);
    }
    for (const { line_number: number, count } of lines) {
      coverage.lines.set(number, (coverage.lines.get(number) ?? 0) + count);
    }
    for (const { name: id, start_line, end_line, execution_count } of functions) {
      const calls = (coverage.functions.get(id)?.calls ?? 0) + execution_count;
      coverage.functions.set(id, { first: start_line, last: end_line, calls });
    }
  }
}

/**
 * What ran in these kernels, all of the same build, by name of the file. Throws EnvironmentError
 * where gcov is not there or cannot tell.
 */
export async function coverageOf(
  kernels: readonly (readonly ObjectCounters[])[],
): Promise<FileCoverage[]> {
  const files: Files = new Map();
  for (const counters of kernels) {
    for (const object of await ask(counters)) add(files, object);
  }
  return [...files.values()].toSorted((a, b) => a.name.localeCompare(b.name));
}
