/**
 * A guest's console: kept to be looked at, and understood as far as it says why a guest did not
 * come up or went down.
 */
import { ownCommand } from "../host/own-command.ts";
import { INIT_FAILED, WORKER_ENDED } from "./init.ts";

/** Lines that are kept. */
const KEPT = 400;

/**
 * What brings a guest down; the text from there on is what to quote. The panic itself only repeats
 * it.
 */
const PANIC = /Kernel panic - not syncing: .*/;
const CAUSE = /kernel BUG at .*|Oops: .*|Kernel mode fault at .*|BUG: .*/;

/**
 * A cause stands so many lines before its panic, at most: registers and a stack lie between them.
 */
const CAUSE_LINES = 60;

export class GuestConsole {
  readonly lines: string[] = [];
  #rest = "";

  /** Takes what the guest printed. */
  add(text: string): void {
    const parts = (this.#rest + text).split(/\r*\n/);
    this.#rest = parts.pop() ?? "";
    this.lines.push(...parts);
    if (this.lines.length > KEPT) this.lines.splice(0, this.lines.length - KEPT);
  }

  /** All lines that are kept, with the one that has no end yet. */
  all(): string[] {
    return this.#rest === "" ? [...this.lines] : [...this.lines, this.#rest];
  }

  /** The line that says why the kernel went down. */
  panic(): string | undefined {
    const lines = this.all();
    const at = lines.findLastIndex((line) => PANIC.test(line));
    if (at < 0) return undefined;
    const cause = lines.slice(Math.max(0, at - CAUSE_LINES), at).find((line) => CAUSE.test(line));
    return (cause === undefined ? PANIC.exec(lines[at]!) : CAUSE.exec(cause))![0];
  }

  /** Why the init script or the worker gave up; undefined where they did not. */
  gaveUp(): string | undefined {
    const said = this.all().findLast(
      (line) => line.includes(INIT_FAILED) || line.includes(WORKER_ENDED),
    );
    return said?.slice(said.indexOf("ext4-conform: ") + "ext4-conform: ".length).trim();
  }
}

/**
 * What a console that ends so is about, and what to do; a colon at its end is for `kernel config`.
 * The first that fits.
 */
const REMEDIES: readonly [RegExp, string][] = [
  [
    /Unable to mount root fs|Cannot open root device|No filesystem could mount root/,
    "The kernel cannot mount the host's root: CONFIG_HOSTFS=y (user-mode Linux), or CONFIG_NET_9P_VIRTIO=y, CONFIG_9P_FS=y and CONFIG_VIRTIO_PCI=y; see: ",
  ],
  [
    /Requested init .* failed|No working init found/,
    "The kernel cannot start a script: CONFIG_BINFMT_SCRIPT=y and CONFIG_BINFMT_ELF=y; see: ",
  ],
  [
    /ptrace set fp regs failed/,
    "A user-mode Linux before 6.16 does not run on this processor (AMX): take a newer kernel, or a bzImage",
  ],
  [
    /Bus error - the host .* out of space/,
    "What it has its memory in is full: set TMPDIR to a folder with room, or give it less with --memory",
  ],
  [/Out of memory|page allocation failure/, "Give the guest more memory with --memory"],
  [/ext4-conform: the guest cannot be set up/, "See: "],
];

/** What to do about a guest that did not come up, by what it printed. */
export function remedyFor(lines: readonly string[]): string {
  const text = lines.join("\n");
  const known = REMEDIES.find(([sign]) => sign.test(text));
  const config = ownCommand(["kernel", "config"]);
  if (known !== undefined) return known[1].endsWith(": ") ? `${known[1]}${config}` : known[1];
  return lines.length === 0
    ? `It printed nothing: build it with what this prints (on x86: CONFIG_SERIAL_8250_CONSOLE=y): ${config}`
    : `Look at what it printed, above, and build it with what this prints: ${config}`;
}
