/**
 * Outputs: whatever the user names a place for is written through here, since this program runs as
 * root. A regular file is replaced, whole or not at all; anything else is written into, and stays
 * what it is.
 */
import * as fs from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Writable } from "node:stream";
import { ReaderGone, UsageError } from "../case/failure.ts";
import { printable } from "../text/terminal.ts";
import { sleepSync } from "../system/sleep.ts";

/** Where the text of an output goes. */
export type Destination =
  /** A regular file, or one that is not there yet; all links were followed. */
  | { kind: "file"; path: string; before: fs.Stats | undefined }
  /** A device, a FIFO, or a descriptor that this process was started with. */
  | { kind: "stream"; fd: number };

/** As many as the kernel follows (MAXSYMLINKS). */
const MAX_LINKS = 40;

/** Bytes that are written to see that there is room: a block of most file systems. */
const PROBE_BYTES = 4096;

/**
 * Milliseconds between two tries of a FIFO that is full, and without progress before that is an
 * error.
 */
const RETRY_MS = 10;
const STALLED_MS = 60_000;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or directory",
  EACCES: "permission denied",
  EPERM: "it is not permitted",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is no directory",
  EEXIST: "something else is there",
  ELOOP: "its links lead nowhere",
  ENOSPC: "no space is left",
  EDQUOT: "the quota is used up",
  EROFS: "the file system is read-only",
  EBUSY: "it is in use",
  EAGAIN: "its reader took nothing for a minute",
  EPIPE: "nobody reads from it any more",
  ENXIO: "nobody reads from it, or there is no such device",
  EBADF: "this descriptor is not open for writing",
  ENAMETOOLONG: "the name is too long",
};

/** What the system says of a file, in words; undefined of an error that is none of the system. */
export function systemReason(error: unknown): string | undefined {
  if (!(error instanceof Error && "code" in error)) return undefined;
  const code = String(error.code);
  return reasons[code] ?? code;
}

/** One line that says what cannot be written; what is no error of the system stays as it is. */
function explained(path: string, error: unknown): unknown {
  const reason = systemReason(error);
  if (reason === undefined) return error;
  const usage = refused(path, reason);
  return reason === reasons["EPIPE"] ? new ReaderGone(usage.message) : usage;
}

function refused(path: string, reason: string): UsageError {
  return new UsageError(`${path === "" ? '""' : printable(path)} cannot be written: ${reason}`);
}

/** The number of a descriptor of this process that `path` is a name of, as of /dev/stdout. */
function ownDescriptor(path: string): number | undefined {
  const folder = fs.realpathSync(dirname(path));
  const name = basename(path);
  const own = [`/proc/${process.pid}/fd`, `/proc/${process.pid}/task/${process.pid}/fd`];
  return own.includes(folder) && /^\d+$/.test(name) ? Number(name) : undefined;
}

/** A descriptor of this process. Throws where it cannot be written to. */
function existingStream(fd: number): Destination {
  // Of no bytes: says whether it is open for writing, and harms nothing.
  fs.writeSync(fd, new Uint8Array(0));
  return { kind: "stream", fd };
}

function openStream(path: string): Destination {
  // O_NONBLOCK: opening a FIFO that nobody reads from would wait for ever.
  const fd = fs.openSync(
    path,
    fs.constants.O_WRONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY,
  );
  try {
    return existingStream(fd);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function follow(path: string): Destination {
  if (path === "-") return existingStream(1);
  if (path === "" || path.endsWith("/")) throw refused(path, "it is no name of a file");
  let at = resolve(path);
  for (let links = 0; links <= MAX_LINKS; links++) {
    const own = ownDescriptor(at);
    if (own !== undefined) return existingStream(own);
    const stat = fs.lstatSync(at, { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() === true) {
      // Of a link in /proc, what it says is no path: another process's pipe, a deleted file.
      if (dirname(fs.realpathSync(dirname(at))).startsWith("/proc/")) return openStream(at);
      at = resolve(fs.realpathSync(dirname(at)), fs.readlinkSync(at));
      continue;
    }
    if (stat === undefined || stat.isFile()) return { kind: "file", path: at, before: stat };
    if (stat.isDirectory()) throw refused(path, "it is a directory");
    return openStream(at);
  }
  throw refused(path, "its links lead nowhere");
}

/**
 * What is there under this name. A FIFO needs a reader, a folder its place; `-` is standard output.
 *
 * @throws UsageError where it cannot be written, with one line
 */
export function destinationOf(path: string): Destination {
  try {
    return follow(path);
  } catch (error) {
    throw explained(path, error);
  }
}

/**
 * Characters of a name that are kept in that of its unfinished file: of four bytes each at most,
 * and NAME_MAX is 255.
 */
const KEPT_CHARACTERS = 40;

/** As much of a name as may be in that of its unfinished file. */
export function keptOf(name: string): string {
  return Array.from(name).slice(0, KEPT_CHARACTERS).join("");
}

function writeUnfinished(path: string, bytes: Uint8Array, mode: number): string {
  const unfinished = join(dirname(path), `.${keptOf(basename(path))}.${process.pid}.tmp`);
  try {
    fs.writeFileSync(unfinished, bytes, { flag: "wx", mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") fs.rmSync(unfinished, { force: true });
    throw error;
  }
  return unfinished;
}

/** Throws what the system says where a file could not be put there; leaves nothing. */
function mustTakeFile(path: string, before: fs.Stats | undefined): void {
  // Root may write a file whose mode says no, but not one that is read-only by its mount or its
  // flags.
  if (before !== undefined) fs.accessSync(path, fs.constants.W_OK);
  fs.rmSync(writeUnfinished(path, Buffer.alloc(PROBE_BYTES, 0), 0o600));
}

function replace(path: string, bytes: Uint8Array, mode: number): void {
  const before = fs.lstatSync(path, { throwIfNoEntry: false });
  if (before !== undefined && !before.isFile())
    throw refused(path, "it is no regular file any more");
  const unfinished = writeUnfinished(path, bytes, mode);
  try {
    if (before !== undefined) keepOwner(unfinished, before);
    fs.renameSync(unfinished, path);
  } catch (error) {
    fs.rmSync(unfinished, { force: true });
    if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    // A file that is a mount point, as containers have them, keeps its name for itself.
    fs.writeFileSync(path, bytes, { flag: "r+" });
    fs.truncateSync(path, bytes.length);
  }
}

/** What is written in place of a file stays its owner's, and as secret. */
function keepOwner(path: string, { uid, gid, mode }: fs.Stats): void {
  if (process.geteuid?.() === 0) fs.chownSync(path, uid, gid);
  fs.chmodSync(path, mode & 0o7777);
}

/** Write all of it to a descriptor that may not take it at once. Throws what the system says. */
function writeInto(fd: number, bytes: Uint8Array): void {
  let progress = performance.now();
  for (let at = 0; at < bytes.length;) {
    try {
      at += fs.writeSync(fd, bytes, at);
      progress = performance.now();
    } catch (error) {
      const full = (error as NodeJS.ErrnoException).code === "EAGAIN";
      if (!full || performance.now() - progress > STALLED_MS) throw error;
      sleepSync(RETRY_MS);
    }
  }
}

/** A stream into a descriptor, which waits where a reader is slow; it stays open. */
export function streamInto(fd: number): Writable {
  const write = (bytes: Uint8Array, done: (error?: Error) => void): void => {
    try {
      const written = fs.writeSync(fd, bytes);
      if (written === bytes.length) return done();
      return write(bytes.subarray(written), done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return done(error as Error);
      setTimeout(write, RETRY_MS, bytes, done);
    }
  };
  return new Writable({ write: (chunk: Uint8Array, _, done) => write(chunk, done) });
}

/** A place that can be written to, which was looked at before there was anything to write. */
export class Output {
  readonly path: string;
  readonly #to: Destination;

  private constructor(path: string, to: Destination) {
    this.path = path;
    this.#to = to;
  }

  /**
   * Looks whether `path` can be written, and harms nothing that is there: a file is made beside it,
   * of one block, and removed. Anything but a regular file is opened now, and stays open.
   *
   * @throws UsageError where it cannot be written, with one line
   */
  static open(path: string): Output {
    try {
      const to = follow(path);
      if (to.kind === "file") mustTakeFile(to.path, to.before);
      return new Output(path, to);
    } catch (error) {
      throw explained(path, error);
    }
  }

  /** A regular file: can be written again and again, and shows what was written last. */
  get isFile(): boolean {
    return this.#to.kind === "file";
  }

  /** It is where the text for the user would go. */
  get isStandardOutput(): boolean {
    return this.#to.kind === "stream" && this.#to.fd === 1;
  }

  /** Whether what is written to the one would be in the way of the other. */
  isSameAs(another: Output): boolean {
    const [to, other] = [this.#to, another.#to];
    if (to.kind === "file") return other.kind === "file" && other.path === to.path;
    return other.kind === "stream" && other.fd === to.fd;
  }

  /**
   * In place of what was in the file; into what is none.
   *
   * @param mode of a file that was not there before
   * @throws UsageError where it cannot be written any more
   */
  write(text: string | Uint8Array, mode = 0o666): void {
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    try {
      if (this.#to.kind === "file") replace(this.#to.path, bytes, mode);
      else writeInto(this.#to.fd, bytes);
    } catch (error) {
      throw explained(this.path, error);
    }
  }
}

/** Write to a place at once. @throws UsageError where it cannot be written */
export function writeOutput(path: string, text: string): void {
  const to = destinationOf(path);
  try {
    if (to.kind === "file") return replace(to.path, Buffer.from(text), 0o666);
    writeInto(to.fd, Buffer.from(text));
    if (to.fd > 2) fs.closeSync(to.fd);
  } catch (error) {
    throw explained(path, error);
  }
}

/** Write behind what is there already. @throws UsageError where that cannot be done */
export function writeMore(path: string, text: string): void {
  const to = destinationOf(path);
  try {
    if (to.kind === "file") fs.appendFileSync(to.path, text);
    else writeInto(to.fd, Buffer.from(text));
  } catch (error) {
    throw explained(path, error);
  }
}

/**
 * Makes a folder and those above it. Not mkdir's own recursion: below /proc that goes on for ever
 * (Node 20).
 */
function makeFolder(folder: string): void {
  const missing: string[] = [];
  for (let at = resolve(folder); !fs.existsSync(at); at = dirname(at)) missing.push(at);
  for (const path of missing.toReversed()) {
    try {
      fs.mkdirSync(path);
    } catch (error) {
      // Somebody else was faster, or there is a link that leads nowhere.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !fs.existsSync(path)) throw error;
    }
  }
}

/**
 * A folder that files can be written to; it is made where there is none.
 *
 * @param what is to be written there, for the message
 * @throws UsageError where that cannot be done, with one line
 */
export function mustBeWritable(folder: string, what = "counterexamples"): void {
  try {
    makeFolder(folder);
    mustTakeFile(join(folder, "probe"), undefined);
  } catch (error) {
    const to = `${what} cannot be written to ${printable(folder)}`;
    throw new UsageError(`${to}: ${systemReason(error)}`);
  }
}
