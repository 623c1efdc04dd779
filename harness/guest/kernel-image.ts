/**
 * What kind of kernel a file holds, told by its bytes and not by its name.
 *
 * Source: Documentation/arch/x86/boot.rst (the setup header of a bzImage: "HdrS" at 0x202); a
 *         user-mode Linux is an ordinary program whose help text names it.
 */
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { UsageError } from "../case/failure.ts";

const HEADER_MAGIC = "HdrS";
const HEADER_AT = 0x202;
const ELF = "\u007fELF";

/** What a file begins with, a character for each byte. */
function head(file: string): string {
  const fd = openSync(file, "r");
  try {
    const buffer = Buffer.alloc(HEADER_AT + HEADER_MAGIC.length);
    return buffer.toString("latin1", 0, readSync(fd, buffer));
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

/** What the file is. Throws UsageError where it is neither, and says what to give instead. */
export function kernelFileKind(file: string): "uml" | "bzImage" {
  mustBeFile(file);
  const start = head(file);
  if (start.startsWith(HEADER_MAGIC, HEADER_AT)) return "bzImage";
  if (!start.startsWith(ELF)) {
    throw new UsageError(`${file} is neither a user-mode Linux nor a bzImage`);
  }
  if (readFileSync(file).includes("User Mode Linux")) return "uml";
  throw new UsageError(
    `${file} is a program but no user-mode Linux; of an x86 kernel give arch/x86/boot/bzImage`,
  );
}
