/**
 * The kernel's log from a moment on, through /dev/kmsg (Documentation/ABI/testing/dev-kmsg).
 *
 * A record is "priority,sequence,time,flags;text", one a read(2). A warning with a stack trace
 * names no device, so with several runs on one machine each of them reports it.
 */
import { closeSync, constants, fstatSync, openSync, writeFileSync } from "node:fs";
import { SEEK_END, keptMemory, mustSucceed, syscalls } from "./syscalls.ts";

/** Bytes; longer than the longest record. */
const RECORD_BYTES = 8192;

/**
 * What a read returns when the ring has overwritten records that it had not come to
 * (include/uapi/asm-generic/errno-base.h).
 */
const EPIPE = -32;

/** Severity of KERN_WARNING; smaller is worse. */
const WARNING = 4;

/**
 * What is wrong whichever device it is about: a failed assertion, a crash, a sanitizer's report, a
 * hang.
 */
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

/**
 * The mount option which this says that ext4 does not know; undefined where it says of none of
 * `options`. Where options are parsed before a device is looked at, none is named (fs/fs_parser.c).
 */
export function unknownOption(text: string, options: readonly string[]): string | undefined {
  const found = /unknown parameter '([^']+)'|unrecognized mount option "([^"]+)"/i.exec(text);
  const named = found?.[1] ?? found?.[2];
  return options.find((option) => named !== undefined && option.split("=")[0] === named);
}

/**
 * Where the kernel forgets which of its WARN_ONCE() have spoken (kernel/panic.c
 * clear_warn_once_set()).
 */
const CLEAR_WARN_ONCE = "/sys/kernel/debug/clear_warn_once";

/**
 * A warning that comes once a boot could not be shrunk, nor seen again on a fresh image. A kernel
 * that is locked down, as with Secure Boot, refuses this and says EPERM even to root
 * (fs/debugfs/file.c debugfs_locked_down()): its log can be read all the same.
 */
function clearWarnOnce(): void {
  try {
    writeFileSync(CLEAR_WARN_ONCE, "1", { flag: "r+" });
  } catch {
    // Then once it is.
  }
}

let shared: { address: number; buffer: ArrayBuffer } | undefined;

/** Memory that records are read into, one for all logs: they are read one at a time. */
const recordMemory = (): { address: number; buffer: ArrayBuffer } =>
  (shared ??= keptMemory(RECORD_BYTES));

/** Major and minor number of /dev/kmsg: containers like to put /dev/null there. */
const KMSG_DEVICE = 1 * 256 + 11;

export class KernelLog {
  readonly #fd: number;
  readonly #isExpected: (text: string) => boolean;
  /**
   * The last reading began behind records that the ring had overwritten: what was not read may have
   * been said.
   */
  hasGap = false;

  private constructor(fd: number, isExpected: (text: string) => boolean) {
    this.#fd = fd;
    this.#isExpected = isExpected;
  }

  /**
   * The log from now on; undefined where this process may not read it. What `isExpected` alarms
   * nobody.
   */
  static open(isExpected: (text: string) => boolean = () => false): KernelLog | undefined {
    let fd: number | undefined;
    try {
      fd = openSync("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK);
      if (fstatSync(fd).rdev !== KMSG_DEVICE) throw new Error("/dev/kmsg is something else");
      // Reading up to the end instead would take 5 us a record, 8 ms on a machine that has been up
      // for a while.
      mustSucceed(syscalls().lseek(fd, 0, SEEK_END), "lseek on /dev/kmsg");
      // Witnesses and other cases whose log nobody reads may have spent one.
      clearWarnOnce();
      return new KernelLog(fd, isExpected);
    } catch {
      if (fd !== undefined) closeSync(fd);
      return undefined;
    }
  }

  /** Texts of the alarming records since the last call. */
  alarms(device: string): string[] {
    return this.alarmsInContext(device).alarms;
  }

  /**
   * As `alarms`, with all that was said since the last call, so with the stack traces; empty where
   * nothing alarms.
   */
  alarmsInContext(device: string): { alarms: string[]; said: string[] } {
    const records = this.records();
    const alarms = records
      .filter((record) => isAlarming(record, device))
      .map(textOf)
      .filter((text) => !this.#isExpected(text));
    if (alarms.length > 0) clearWarnOnce();
    return { alarms, said: alarms.length === 0 ? [] : records.map(textOf) };
  }

  /**
   * What ext4 said last of a device ("loop0"), or of mount options of which it does not know one,
   * since the last call: why it refused a mount, say. Others are mounted meanwhile.
   */
  lastOfExt4(device: string, options: readonly string[] = []): string | undefined {
    return this.records()
      .map(textOf)
      .filter((text) => /^ext4\b/i.test(text))
      .findLast((text) => text.includes(`(${device})`) || unknownOption(text, options));
  }

  /** Whole records since the last call. */
  records(): string[] {
    const records: string[] = [];
    const { address, buffer } = recordMemory();
    const sys = syscalls();
    this.hasGap = false;
    for (;;) {
      // The offset means nothing there. Called after every case: an exception for EAGAIN would cost
      // more than the call.
      const length = sys.pread(this.#fd, address, RECORD_BYTES, 0);
      // The ring overwrote what we had not read; the next read goes on behind the gap.
      if (length === EPIPE) {
        this.hasGap = true;
        continue;
      }
      if (length <= 0) return records;
      records.push(Buffer.from(buffer, 0, length).toString("utf8"));
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
