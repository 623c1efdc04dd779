import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../case/failure.ts";
import { kernelFileKind } from "./kernel-image.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "conform-kernel-file-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Bytes with texts at offsets. */
function bytes(length: number, texts: readonly (readonly [number, string])[]): Buffer {
  const buffer = Buffer.alloc(length);
  for (const [at, text] of texts) buffer.write(text, at, "latin1");
  return buffer;
}

function file(contents: Buffer): string {
  const path = join(folder, "kernel");
  writeFileSync(path, contents);
  return path;
}

describe("the kind of a kernel's file", () => {
  test("a bzImage is known by its setup header", () => {
    expect(kernelFileKind(file(bytes(4096, [[0x202, "HdrS"]])))).toBe("bzImage");
  });

  test("a user-mode Linux is a program that says so, wherever", () => {
    const program = bytes(300_000, [
      [0, "\u007fELF"],
      [290_000, "User Mode Linux"],
    ]);
    expect(kernelFileKind(file(program))).toBe("uml");
  });

  test.each([
    ["another program", bytes(4096, [[0, "\u007fELF"]]), /no user-mode Linux; .*bzImage/],
    ["some text", Buffer.from("kernel"), /neither a user-mode Linux nor a bzImage/],
    ["nothing", Buffer.alloc(0), /neither/],
  ])("%s is refused, with what to give instead", (_, contents, message) => {
    const path = file(contents);
    expect(() => kernelFileKind(path)).toThrow(UsageError);
    expect(() => kernelFileKind(path)).toThrow(message);
  });

  test("a folder and a file that is not there are refused", () => {
    mkdirSync(join(folder, "folder"));
    expect(() => kernelFileKind(join(folder, "folder"))).toThrow(/is no file/);
    expect(() => kernelFileKind(join(folder, "none"))).toThrow(/there is no kernel/);
  });
});
