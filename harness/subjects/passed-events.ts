/**
 * The trace events that a call passes: what a kernel developer would look at first.
 *
 * Kernel: include/trace/events/ext4.h, iomap.h (fs/iomap/trace.h). Documentation/trace/events.rst
 */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MountedImage } from "./image.ts";
import { openInstance, withTracefs } from "./tracefs.ts";

/** Subsystems, each of which is a folder of events. */
const SUBSYSTEMS = ["ext4", "iomap"];

/** Every change of an inode passes these, and they do not say what it is. */
const ALWAYS = ["ext4_journal_start_inode", "ext4_journal_start_reserved", "ext4_mark_inode_dirty"];

/** Runs a call, and writes down what it passes. */
export type Around = <T>(call: () => T) => T;

/** "node-4711 [001] ..... 12.345678: ext4_da_write_begin: dev 7,1 ino 12 pos 0 len 8192 flags 0" */
const EVENT = /^ *(.+)-(\d+) +\[\d+\] .*? [\d.]+: (\w+): dev (\d+)[,:](\d+) (.*)$/;

/** Major and minor number of a device (makedev(3)). */
const numbersOf = (dev: number): [number, number] => [
  (dev >>> 8) & 0xfff,
  (dev & 0xff) | ((dev >>> 12) & 0xfff00),
];

/**
 * The events of a trace that are about one device, as "ext4_da_write_begin ino 12 pos 0 ...". Of
 * another process than `pid` its name comes first: writing back goes on in kernel threads.
 */
export function eventsOn(trace: string, dev: number, pid: number): string[] {
  const [major, minor] = numbersOf(dev);
  return trace.split("\n").flatMap((line) => {
    const [, comm, task, event, itsMajor, itsMinor, words] = EVENT.exec(line) ?? [];
    if (Number(itsMajor) !== major || Number(itsMinor) !== minor) return [];
    const said = `${event} ${words}`.trim().replaceAll(/ {2,}/g, " ");
    return [Number(task) === pid ? said : `${comm}: ${said}`];
  });
}

/**
 * The events on the device of an image of the calls around which `use` puts what it is given;
 * undefined where the kernel has no tracefs, or does not let us.
 */
export function eventsDuring(
  image: MountedImage,
  use: (around: Around) => void,
): string[] | undefined {
  return withTracefs(image.directory, (root) => {
    if (root === undefined) return undefined;
    const instance = openInstance(root);
    const { path } = instance;
    try {
      const on = join(path, "tracing_on");
      writeFileSync(on, "0");
      const set = (event: string, value: "0" | "1"): void => {
        const enable = join(path, "events", event, "enable");
        if (existsSync(enable)) writeFileSync(enable, value);
      };
      for (const subsystem of SUBSYSTEMS) set(subsystem, "1");
      for (const event of ALWAYS) set(join("ext4", event), "0");
      use((call) => {
        writeFileSync(on, "1");
        try {
          return call();
        } finally {
          writeFileSync(on, "0");
        }
      });
      const { dev } = statSync(image.mountPoint);
      return eventsOn(readFileSync(join(path, "trace"), "utf8"), dev, process.pid);
    } finally {
      instance.close();
    }
  });
}
