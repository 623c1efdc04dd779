/**
 * The lines of a trace file, unpacked where its name says that it is packed, one at a time: a file
 * may be larger than memory, and a line has a limit.
 */
import { isUtf8 } from "node:buffer";
import * as fs from "node:fs";
import { pipeline } from "node:stream";
import * as zlib from "node:zlib";
import { depthFault, shapeOf } from "../stored/json-keys.ts";
import { systemReason } from "../stored/output.ts";
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
const BRACE = 0x7b;

/** Bytes that are read and unpacked at a time. */
const CHUNK_BYTES = 256 * 1024;

/** Bytes of a line up to which its shape cannot cost much, so that nobody needs to look. */
const SMALL_LINE = 256 * 1024;

/**
 * Why a line is not worth parsing; undefined where it is. Parsing takes many times the memory of
 * the text where that is nothing but brackets, so they are counted first.
 */
function shapeFault(text: string, steps: number): string | undefined {
  const shape = shapeOf(text);
  const tooDeep = depthFault(shape, MAX_DEPTH);
  if (tooDeep !== undefined) return tooDeep;
  if (shape.values * BYTES_PER_VALUE > text.length)
    return "is hardly more than commas and brackets";
  // One is the case.
  if (shape.objects <= steps + 1) return undefined;
  return `has more than ${steps} steps, the limit (see --max-steps)`;
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

/**
 * The text of line `number`. Decoding would put U+FFFD for what is no UTF-8, and nobody would know
 * that something else was there.
 */
function textOf(bytes: Buffer, file: string, number: number, { steps }: TraceLimits): string {
  const opening = openings.find(([begin]) => begin.every((byte, i) => bytes[i] === byte));
  if (number === 1 && opening !== undefined) throw fileError(file, opening[1]);
  if (!isUtf8(bytes)) {
    const hint = number === 1 && packingOf(file) === undefined ? `; ${NAME_OF_PACKED}` : "";
    throw lineError(file, number, `is not UTF-8${hint}`);
  }
  const text = bytes.toString("utf8");
  const fault = bytes.length > SMALL_LINE ? shapeFault(text, steps) : undefined;
  if (fault !== undefined) throw lineError(file, number, fault);
  return text;
}

/** What is read, cut into lines. */
async function* split(
  chunks: AsyncIterable<Buffer>,
  file: string,
  limits: TraceLimits,
): AsyncGenerator<Line> {
  /** Parts of a line that has not ended yet, and their bytes. */
  let parts: Buffer[] = [];
  let bytes = 0;
  let number = 1;
  const keep = (part: Buffer): void => {
    parts.push(part);
    bytes += part.length;
    if (bytes <= limits.lineBytes) return;
    const limit = `${limits.lineBytes / MIB} MiB, the limit (see --max-line)`;
    throw lineError(file, number, `is longer than ${limit}`);
  };
  const take = (): string => {
    const line = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    parts = [];
    bytes = 0;
    return textOf(line, file, number++, limits);
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, at));
      yield { text: take(), ended: true };
      from = at + 1;
    }
    if (from < chunk.length) keep(chunk.subarray(from));
  }
  if (bytes > 0) yield { text: take(), ended: false };
}

/** The system's and zlib's names for what went wrong, in words. */
function explained(error: unknown, file: string): unknown {
  if (!(error instanceof Error && "code" in error)) return error;
  const code = String(error.code);
  if (code === "Z_BUF_ERROR") return fileError(file, `is truncated: unpacking it ends in ${code}`);
  if (code.startsWith("Z_") || code.startsWith("ERR_")) {
    return fileError(file, `is damaged, or not packed as its name says: ${code}`);
  }
  const expected = code === "ENOENT" ? "; a recording is expected, as trace record writes it" : "";
  return fileError(file, `cannot be read: ${systemReason(error)}${expected}`);
}

/**
 * Chunks of the file, unpacked.
 *
 * @throws UsageError where bytes follow what was packed, which zlib does not mind. Several members
 *   of gzip, one after the other, are one file (RFC 1952, 2.2); brotli has nothing of that kind.
 */
async function* chunksOf(path: string, size: number): AsyncGenerator<Buffer> {
  const file = fs.createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const packing = packingOf(path);
  if (packing === undefined) return yield* file as AsyncIterable<Buffer>;
  const options = { chunkSize: CHUNK_BYTES };
  const unpack =
    packing === "brotli" ? zlib.createBrotliDecompress(options) : zlib.createGunzip(options);
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
    yield* split(chunksOf(path, mustBeReadable(path)), path, limits);
  } catch (error) {
    throw explained(error, path);
  }
}
