/**
 * The lines of a trace file, unpacked where its name says that it is packed, one at a time: a file
 * may be larger than memory, and a line has a limit.
 */
import { isUtf8 } from "node:buffer";
import * as fs from "node:fs";
import { pipeline } from "node:stream";
import * as zlib from "node:zlib";
import { fileError, lineError } from "../stored/shown.ts";
import { BYTES_PER_VALUE, MAX_DEPTH, MIB } from "./limits.ts";
import type { TraceLimits } from "./limits.ts";
import { NAME_OF_PACKED, packingOf } from "./packing.ts";

export interface Line {
  /** Without its newline. */
  text: string;
  /** It had a newline: only the last line of a file may lack one. */
  ended: boolean;
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;

/** Bytes that are read and unpacked at a time. */
const CHUNK_BYTES = 256 * 1024;

/** Bytes of a line up to which its shape cannot cost much, so that nobody needs to look. */
const SMALL_LINE = 256 * 1024;

/**
 * Why a line is not worth parsing; undefined where it is. Parsing takes many times the memory of
 * the text where that is nothing but brackets, so they are counted first.
 */
function shapeFault(bytes: Uint8Array, steps: number): string | undefined {
  let depth = 0;
  let objects = 0;
  let values = 0;
  let quoted = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) quoted = !quoted;
    else if (byte === BACKSLASH) i += 1;
    else if (!quoted && (byte | 0x20) === 0x7b) {
      // "{" and "[" differ in this bit alone.
      depth += 1;
      values += 1;
      if (byte === BRACE) objects += 1;
      if (depth > MAX_DEPTH) return `has brackets inside one another, more than ${MAX_DEPTH} deep`;
    } else if (!quoted && (byte | 0x20) === 0x7d) depth -= 1;
    else if (!quoted && byte === COMMA) values += 1;
  }
  if (values * BYTES_PER_VALUE > bytes.length) return "is hardly more than commas and brackets";
  // One is the case.
  if (objects > steps + 1) return `has more than ${steps} steps, the limit (see --max-steps)`;
  return undefined;
}

/** How files begin that are no trace but might be meant for one, and what to say of them. */
const openings: readonly (readonly [bytes: readonly number[], reason: string])[] = [
  [[0xef, 0xbb, 0xbf], "begins with a byte order mark (BOM); a trace is UTF-8 without one"],
  [[0xff, 0xfe], "is UTF-16; a trace is UTF-8"],
  [[0xfe, 0xff], "is UTF-16; a trace is UTF-8"],
  [[BRACE, 0], "is UTF-16; a trace is UTF-8"],
  [[0, BRACE], "is UTF-16; a trace is UTF-8"],
  [[0x1f, 0x8b], "is packed with gzip, which its name must say at its end: .gz"],
  [[0x28, 0xb5, 0x2f, 0xfd], "is packed with zstd; only .br and .gz are unpacked"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "is packed with xz; only .br and .gz are unpacked"],
];

function openingFault(line: Uint8Array): string | undefined {
  return openings.find(([bytes]) => bytes.every((byte, i) => line[i] === byte))?.[1];
}

/** Cuts what is read into lines. */
class LineSplitter {
  readonly #file: string;
  readonly #limits: TraceLimits;
  /** The beginning of a line that has not ended yet. */
  #parts: Buffer[] = [];
  #bytes = 0;
  #number = 0;

  constructor(file: string, limits: TraceLimits) {
    this.#file = file;
    this.#limits = limits;
  }

  /** The lines that end in `chunk`. Throws UsageError where one is too long. */
  *push(chunk: Buffer): Generator<Line> {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, at));
      yield this.#take(true);
      from = at + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** What is left at the end of the file: a line without newline, or nothing. */
  *end(): Generator<Line> {
    if (this.#bytes > 0) yield this.#take(false);
  }

  #keep(part: Buffer): void {
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes <= this.#limits.lineBytes) return;
    const limit = `${this.#limits.lineBytes / MIB} MiB, the limit (see --max-line)`;
    throw lineError(this.#file, this.#number + 1, `is longer than ${limit}`);
  }

  #take(ended: boolean): Line {
    this.#number += 1;
    const [first] = this.#parts;
    const bytes = this.#parts.length === 1 ? (first as Buffer) : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    this.#mustBeText(bytes);
    if (bytes.length > SMALL_LINE) {
      const fault = shapeFault(bytes, this.#limits.steps);
      if (fault !== undefined) throw lineError(this.#file, this.#number, fault);
    }
    return { text: bytes.toString("utf8"), ended };
  }

  /**
   * Decoding would put U+FFFD for what is no UTF-8, and nobody would know that something else was
   * there.
   */
  #mustBeText(line: Uint8Array): void {
    const first = this.#number === 1;
    const opening = first ? openingFault(line) : undefined;
    if (opening !== undefined) throw fileError(this.#file, opening);
    if (isUtf8(line)) return;
    const hint = first && packingOf(this.#file) === undefined ? `; ${NAME_OF_PACKED}` : "";
    throw lineError(this.#file, this.#number, `is not UTF-8${hint}`);
  }
}

function unpacker(path: string): zlib.BrotliDecompress | zlib.Gunzip | undefined {
  const options = { chunkSize: CHUNK_BYTES };
  switch (packingOf(path)) {
    case "brotli":
      return zlib.createBrotliDecompress(options);
    case "gzip":
      return zlib.createGunzip(options);
    case undefined:
      return undefined;
  }
}

/** The system's and zlib's names for what went wrong, in words. */
function explained(error: unknown, file: string): unknown {
  if (!(error instanceof Error && "code" in error)) return error;
  const code = String(error.code);
  if (code === "Z_BUF_ERROR") return fileError(file, `is truncated: unpacking it ends in ${code}`);
  if (code.startsWith("Z_") || code.startsWith("ERR_")) {
    return fileError(file, `is damaged, or not packed as its name says: ${code}`);
  }
  return fileError(file, `cannot be read: ${code}`);
}

/**
 * Chunks of the file, unpacked.
 *
 * @throws UsageError where bytes follow what was packed, which zlib does not mind. Several members
 *   of gzip, one after the other, are one file (RFC 1952, 2.2); brotli has nothing of that kind.
 */
async function* chunksOf(path: string, size: number): AsyncGenerator<Buffer> {
  const file = fs.createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const unpack = unpacker(path);
  if (unpack === undefined) {
    yield* file as AsyncIterable<Buffer>;
    return;
  }
  // What goes wrong comes out of the iteration; here it is only to be heard by someone.
  yield* pipeline(file, unpack, () => {}) as unknown as AsyncIterable<Buffer>;
  const used = unpack.bytesWritten;
  if (used >= size) return;
  throw fileError(path, `is not packed as a whole: bytes follow after byte ${used} of ${size}`);
}

/**
 * Whether it can be read, as often as it takes to find the deviations that it needs: a pipe can be
 * but once.
 *
 * @returns its size, bytes
 */
function mustBeReadable(path: string): number {
  const stats = fs.statSync(path);
  if (!stats.isFile()) throw fileError(path, "is not a regular file");
  // zlib would say that it is cut off, which nobody would look for in a file without a byte.
  if (packingOf(path) !== undefined && stats.size === 0) throw fileError(path, "is empty");
  return stats.size;
}

/**
 * The lines of a file; one whose name ends in .br or .gz is unpacked.
 *
 * @throws UsageError, of one line, where the file cannot be read, is no regular file or no UTF-8
 */
export async function* linesOf(path: string, limits: TraceLimits): AsyncGenerator<Line> {
  try {
    const size = mustBeReadable(path);
    const splitter = new LineSplitter(path, limits);
    for await (const chunk of chunksOf(path, size)) yield* splitter.push(chunk);
    yield* splitter.end();
  } catch (error) {
    throw explained(error, path);
  }
}
