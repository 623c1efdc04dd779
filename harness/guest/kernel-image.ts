/**
 * What kind of kernel a file holds, told by its bytes and not by its name.
 *
 * Source: Documentation/arch/x86/boot.rst (the setup header of a bzImage: "HdrS" at 0x202, at 0x20e
 *         the place of the version text less 0x200); a user-mode Linux is an ordinary program whose
 *         help text names it.
 */
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { UsageError } from "../case/failure.ts";

export type KernelFileKind = "uml" | "bzImage";

const HEADER_MAGIC = { at: 0x202, text: "HdrS" };
const VERSION_AT = 0x20e;
const SETUP_BASE = 0x200;
const ELF = "\u007fELF";

/** Bytes that hold a bzImage's setup code. */
const SETUP_BYTES = 64 * 1024;

function head(file: string): Buffer {
  const fd = openSync(file, "r");
  try {
    const buffer = Buffer.alloc(SETUP_BYTES);
    return buffer.subarray(0, readSync(fd, buffer));
  } finally {
    closeSync(fd);
  }
}

function mustBeFile(file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) {
    throw new UsageError(
      `there is no kernel ${file}; host, a user-mode Linux or a bzImage is wanted`,
    );
  }
  if (!stats.isFile()) throw new UsageError(`${file} is no file`);
}

const isBzImage = (start: Buffer): boolean =>
  start.toString("latin1", HEADER_MAGIC.at, HEADER_MAGIC.at + 4) === HEADER_MAGIC.text;

/** What the file is. Throws UsageError where it is neither, and says what to give instead. */
export function kernelFileKind(file: string): KernelFileKind {
  mustBeFile(file);
  const start = head(file);
  if (isBzImage(start)) return "bzImage";
  if (start.toString("latin1", 0, 4) !== ELF) {
    throw new UsageError(`${file} is neither a user-mode Linux nor a bzImage`);
  }
  if (readFileSync(file).includes("User Mode Linux")) return "uml";
  throw new UsageError(
    `${file} is a program but no user-mode Linux; of an x86 kernel give arch/x86/boot/bzImage`,
  );
}

/** The release that a bzImage says it has, as "6.12.8"; undefined where it says none. */
export function bzImageRelease(file: string): string | undefined {
  const start = head(file);
  const at = start.readUInt16LE(VERSION_AT) + SETUP_BASE;
  const end = start.indexOf(0, at);
  if (at === SETUP_BASE || end < 0) return undefined;
  return start.toString("latin1", at, end).split(" ")[0];
}
