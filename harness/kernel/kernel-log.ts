/**
 * The kernel's log from a moment on, through /dev/kmsg (Documentation/ABI/testing/dev-kmsg).
 *
 * A record is "priority,sequence,time,flags;text", one a read(2). A warning with a stack trace names no device, so with
 * several runs on one machine each of them reports it.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { SEEK_END, mustSucceed, syscalls } from "./syscalls.ts";

/** Bytes; longer than the longest record. */
const RECORD_BYTES = 8192;

/** Severity of KERN_WARNING; smaller is worse. */
const WARNING = 4;

/** What is wrong whichever device it is about: a failed assertion, a crash, a sanitizer's report, a hang. */
const ALARM =
  /WARNING:|BUG:|kernel BUG at|Oops|general protection fault|KASAN|UBSAN|blocked for more than|lockup|possible (?:recursive|circular) locking/;

/** Whether a record is worth reporting for a device ("loop0"). */
export function isAlarming(record: string, device: string): boolean {
  const at = record.indexOf(";");
  const severity = Number.parseInt(record, 10) & 7;
  const text = record.slice(at + 1);
  const named = new RegExp(`\\b${device}\\b`).test(text);
  return ALARM.test(text) || (named && severity <= WARNING);
}

/** A record without its head and the lines of key=value pairs behind it. */
function textOf(record: string): string {
  return record.slice(record.indexOf(";") + 1).split("\n")[0]!;
}

/** Major and minor number of /dev/kmsg: containers like to put /dev/null there. */
const KMSG_DEVICE = 1 * 256 + 11;

export class KernelLog {
  readonly #fd: number;
  readonly #record = Buffer.alloc(RECORD_BYTES);

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** The log from now on; undefined where this process may not read it. */
  static open(): KernelLog | undefined {
    let fd: number | undefined;
    try {
      fd = openSync("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK);
      if (fstatSync(fd).rdev !== KMSG_DEVICE) throw new Error("/dev/kmsg is something else");
      // Reading up to the end instead would take 5 us a record, 8 ms on a machine that has been up for a while.
      mustSucceed(syscalls().lseek(fd, 0, SEEK_END), "lseek on /dev/kmsg");
      return new KernelLog(fd);
    } catch {
      if (fd !== undefined) closeSync(fd);
      return undefined;
    }
  }

  /** Texts of the alarming records since the last call. */
  alarms(device: string): string[] {
    return this.records()
      .filter((record) => isAlarming(record, device))
      .map(textOf);
  }

  /** What ext4 said last since the last call: why it refused a mount, say. */
  lastOfExt4(): string | undefined {
    return this.records()
      .map(textOf)
      .findLast((text) => /^ext4\b/i.test(text));
  }

  /** Whole records since the last call. */
  records(): string[] {
    const records: string[] = [];
    for (;;) {
      try {
        const length = readSync(this.#fd, this.#record);
        if (length === 0) return records;
        records.push(this.#record.toString("utf8", 0, length));
      } catch (error) {
        // EPIPE: the ring overwrote what we had not read; the next read goes on behind the gap.
        if ((error as NodeJS.ErrnoException).code === "EPIPE") continue;
        return records;
      }
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
