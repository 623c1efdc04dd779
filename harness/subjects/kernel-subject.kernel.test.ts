/**
 * What a subject counts for a case is the case's own, whatever is written back meanwhile.
 */
import { execaSync } from "execa";
import { expect, test } from "vitest";
import type { Operation } from "../operations/operation.ts";
import { machineLacks } from "../system/machine.ts";
import { variantNamed } from "../under-test/variants.ts";
import { openImage } from "./image.ts";
import { KernelSubject } from "./kernel-subject.ts";

const lacks = machineLacks();

test.skipIf(lacks !== undefined)(
  `a file that is kept has nothing of what the other one had reserved ${lacks?.message ?? ""}`,
  async () => {
    const image = await openImage(variantNamed("4k-delalloc"));
    const subject = new KernelSubject(image);
    try {
      const operations: Operation[] = [
        { op: "pwrite", pos: 0, len: 32768, readable: 32768 },
        { op: "pwrite", file: 1, pos: 0, len: 4096, readable: 4096 },
        { op: "fsync", file: 1 },
      ];
      subject.begin(operations);
      for (const [index, operation] of operations.entries()) subject.step(operation, index);
      execaSync("sync", ["--file-system", image.mountPoint]);
      subject.keep();
      subject.begin();
      expect(subject.step({ op: "fsync" }, 0).reserved).toBe(0);
    } finally {
      subject.release();
      image.close();
    }
  },
);
