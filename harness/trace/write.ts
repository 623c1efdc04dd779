/**
 * Writing a trace: line by line, packed where its name says so, under another name until it is
 * whole. A recording that was broken off never looks like one that was not: it has the wrong name,
 * and its last line is missing.
 */
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { PassThrough } from "node:stream";
import type { Transform, Writable } from "node:stream";
import * as zlib from "node:zlib";
import { once } from "node:events";
import { ReaderGone, UsageError } from "../case/failure.ts";
import { undoAtExit } from "../system/undo.ts";
import { printable } from "../text/terminal.ts";
import { destinationOf, Output, streamInto } from "../stored/output.ts";
import { fileError } from "../stored/shown.ts";
import { headerV3Schema } from "./format.ts";
import type { TraceHeaderV3 } from "./format.ts";
import { DEFAULT_LIMITS, MIB } from "./limits.ts";
import { packingOf } from "./packing.ts";
import { partialName, sweepPartials } from "./partial.ts";
import { parsedBy } from "./schema-fault.ts";

/** Strong enough for a fifteenth of the size, and faster than a kernel gives. */
const BROTLI_QUALITY = 9;

function packer(path: string): Transform {
  const packing = packingOf(path);
  if (packing === "brotli") {
    const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY };
    return zlib.createBrotliCompress({ params });
  }
  return packing === "gzip" ? zlib.createGzip() : new PassThrough();
}

/** What the system says about a file that cannot be written, in one line. */
function explained(error: unknown, path: string): unknown {
  if (error instanceof UsageError || !(error instanceof Error && "code" in error)) return error;
  const usage = fileError(path, `cannot be written: ${String(error.code)}`);
  return error.code === "EPIPE" ? new ReaderGone(usage.message) : usage;
}

/**
 * @throws UsageError where a file is there and `force` does not allow to replace it, or something
 * else meanwhile
 */
function mustBeFree(path: string, force: boolean): void {
  const there = fs.lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isFile()) throw fileError(path, "is there and is not a regular file");
  if (!force) throw fileError(path, "is there already; --force replaces it");
}

/** What a recording is written to, and what is done when all of it is there or nobody wants it. */
interface Place {
  stream: Writable;
  finish?: () => void;
  remove?: () => void;
  isStandardOutput: boolean;
}

/**
 * A file beside `path`, which only `finish` gives its name. Those that dead recordings left there
 * go.
 */
function besideFile(path: string, force: boolean): Place {
  mustBeFree(path, force);
  const folder = dirname(path);
  sweepPartials(folder);
  const partial = join(folder, partialName(basename(path)));
  const fd = fs.openSync(partial, "wx", 0o666);
  const remove = undoAtExit(() => fs.rmSync(partial, { force: true }));
  const finish = (): void => {
    mustBeFree(path, force);
    fs.renameSync(partial, path);
  };
  const stream = fs.createWriteStream(partial, { fd, flush: true });
  return { stream, finish, remove, isStandardOutput: false };
}

/**
 * A device, a FIFO or standard output is written into: what a recording is good for, its reader
 * sees by its last line.
 */
function placeOf(path: string, force: boolean): Place {
  const to = destinationOf(path);
  if (to.kind === "file") return besideFile(Output.open(to.path).path, force);
  return { stream: streamInto(to.fd), isStandardOutput: to.fd === 1 };
}

const refused = (fault: string): UsageError =>
  new UsageError(`check would refuse the recording: ${printable(fault)}`);

/**
 * The header of a recording, before anything is recorded under it.
 *
 * @throws UsageError where `check` would refuse it, as with a feature that the model does not know
 */
export function headerToWrite(header: TraceHeaderV3): TraceHeaderV3 {
  parsedBy(headerV3Schema, header, refused, ["header"]);
  return header;
}

/** A recording as it is written: a file gets its name when all of it is there. */
export class TraceWriter {
  readonly #path: string;
  readonly #pack: Transform;
  readonly #written: Promise<void>;
  readonly #place: Place;
  #failure: unknown;
  /** Lines so far. */
  #lines = 0;

  /**
   * @param force a file that is there is replaced
   * @throws UsageError where `path` cannot be written
   */
  constructor(path: string, force: boolean) {
    this.#path = path;
    this.#pack = packer(path);
    try {
      this.#place = placeOf(path, force);
    } catch (error) {
      throw explained(error, path);
    }
    this.#written = pipeline(this.#pack, this.#place.stream);
    // Heard here and now, since nobody may be waiting yet; `write` and `end` pass it on.
    this.#written.catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** It is where the text for the user would go. */
  get isStandardOutput(): boolean {
    return this.#place.isStandardOutput;
  }

  /** Writes one value as a line, and waits until there is room for more. */
  async write(value: unknown): Promise<void> {
    const line = `${JSON.stringify(value)}\n`;
    this.#lines += 1;
    if (line.length > DEFAULT_LIMITS.lineBytes) {
      const limit = `${DEFAULT_LIMITS.lineBytes / MIB} MiB`;
      const remedy = "record shorter cases (--max-length)";
      throw fileError(this.#path, `line ${this.#lines} would exceed ${limit}: ${remedy}`);
    }
    this.#mustGoOn();
    if (this.#pack.write(line)) return;
    const abort = new AbortController();
    const room = once(this.#pack, "drain", { signal: abort.signal }).catch(() => {});
    await Promise.race([room, this.#written.catch(() => {})]);
    abort.abort();
    this.#mustGoOn();
  }

  #mustGoOn(): void {
    if (this.#failure !== undefined) throw explained(this.#failure, this.#path);
  }

  /** Everything is written: the file gets its name. */
  async end(): Promise<void> {
    this.#pack.end();
    try {
      await this.#written;
      this.#place.finish?.();
    } catch (error) {
      throw explained(error, this.#path);
    }
    this.#place.remove?.();
  }

  /** Give up: nothing stays. No error if it has ended. */
  async close(): Promise<void> {
    this.#pack.destroy();
    await this.#written.catch(() => {});
    this.#place.remove?.();
  }
}
