/**
 * A call in which an allocation of memory fails: the n-th of those that the calling thread makes
 * and that may fail.
 *
 * Kernel: Documentation/fault-injection/fault-injection.rst, /proc/<pid>/task/<tid>/fail-nth;
 *         lib/fault-inject.c should_fail_ex(), mm/failslab.c, mm/fail_page_alloc.c. It takes
 *         CONFIG_FAULT_INJECTION, CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC and
 *         CONFIG_FAULT_INJECTION_DEBUG_FS (`kernel config` has them). Allocations with __GFP_NOFAIL
 *         are not counted, nor are those of other threads (I/O completion, the journal's).
 *
 * Which allocations may fail is the machine's to say, not the thread's: those that may sleep are
 * let off unless it is told otherwise. Nothing but a thread that asks has one fail (`probability`
 * stays 0), and what is told is taken back at the end.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as sys from "./syscalls.ts";
import { undoAtExit } from "./undo.ts";

const DEBUGFS = "/sys/kernel/debug";

/** Also those that may sleep, of single pages too, and without a word. */
const SETTINGS = [
  ["failslab/ignore-gfp-wait", "N"],
  ["failslab/verbose", "0"],
  ["fail_page_alloc/ignore-gfp-wait", "N"],
  ["fail_page_alloc/min-order", "0"],
  ["fail_page_alloc/verbose", "0"],
] as const;

/**
 * The folios that a large write gets are smaller where the large ones fail, which nobody can see.
 * Where there are none it is told by:
 */
const LARGE_FOLIOS = "/sys/kernel/mm/transparent_hugepage";

/** Digits of the number, and what ends it. */
const TEXT_BYTES = 16;

export class FailNth {
  /** Which folios a write of several pages gets does not depend on memory. */
  readonly smallFolios = !existsSync(LARGE_FOLIOS);
  readonly #calls = sys.syscalls();
  readonly #fd: number;
  readonly #address: number;
  readonly #bytes: Uint8Array;

  private constructor(fd: number) {
    this.#fd = fd;
    const { address, buffer } = sys.keptMemory(TEXT_BYTES);
    this.#address = address;
    this.#bytes = new Uint8Array(buffer);
  }

  /** For this thread; undefined where the kernel does not offer it, or does not let us. */
  static open(): FailNth | undefined {
    if (!SETTINGS.every(([name]) => existsSync(join(DEBUGFS, name)))) return undefined;
    const fd = sys.syscalls().open("/proc/thread-self/fail-nth", sys.O_RDWR | sys.O_CLOEXEC, 0);
    if (fd < 0) return undefined;
    for (const [name, value] of SETTINGS) set(join(DEBUGFS, name), value);
    return new FailNth(fd);
  }

  /** `call` while its allocation number `nth` fails. */
  during(nth: number, call: () => number): number {
    this.#write(nth);
    const result = call();
    this.#write(0);
    return result;
  }

  #write(nth: number): void {
    const text = String(nth);
    for (let i = 0; i < text.length; i++) this.#bytes[i] = text.charCodeAt(i);
    sys.mustSucceed(this.#calls.pwrite(this.#fd, this.#address, text.length, 0), "fail-nth");
  }
}

/** Write to a file what it says until the end. */
function set(file: string, value: string): void {
  const before = readFileSync(file, "latin1").trim();
  if (before === value) return;
  writeFileSync(file, value);
  undoAtExit(() => writeFileSync(file, before));
}

let opened: FailNth | undefined | null = null;

/** The one of this thread, opened on first use. */
export function failNth(): FailNth | undefined {
  if (opened === null) opened = FailNth.open();
  return opened;
}

/**
 * What ext4 says where writeback had no memory, and tries again (fs/ext4/inode.c
 * ext4_do_writepages()).
 */
const TRIES_AGAIN = /ext4_(?:do_)?writepages: jbd2_start: .*err -12$/;

/** Whether a text of the kernel's log says no more than that. */
export function triesAgain(text: string): boolean {
  return TRIES_AGAIN.test(text);
}
