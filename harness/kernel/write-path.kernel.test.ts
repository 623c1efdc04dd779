import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { variantNamed } from "../variants.ts";
import { openImage } from "./image.ts";
import { machineLacks } from "./machine.ts";
import { probeKernel } from "./probe.ts";
import { writePathOf } from "./write-path.ts";

const lacks = machineLacks();
if (lacks !== undefined) console.warn(`SKIP: ${lacks.message}`);

describe.skipIf(lacks !== undefined)("which path a write takes", () => {
  test.each(["4k-delalloc", "4k-nodelalloc", "4k-data-journal"])(
    "%s: the trace tells, and nothing stays behind",
    async (name) => {
      const { bufferedIomap } = await probeKernel();
      const before = readdirSync(tmpdir()).length;
      const image = await openImage(variantNamed(name));
      try {
        const path = writePathOf(image);
        // Without the option of the series there is but one path; with it, mounting without it chooses that one.
        expect([path, bufferedIomap]).toEqual(["buffer_head", bufferedIomap]);
      } finally {
        image.close();
      }
      expect(readdirSync(tmpdir()).length).toBeLessThanOrEqual(before);
    },
  );
});
