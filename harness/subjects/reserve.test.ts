import { describe, expect, test } from "vitest";
import { variantNamed } from "../under-test/variants.ts";
import { processorsHere, watermarkBlocks, withRoom } from "./reserve.ts";

describe("room for delayed allocation", () => {
  test("the watermark is four times the error of the counters", () => {
    expect(watermarkBlocks({ online: 2, possible: 2 })).toBe(256);
    expect(watermarkBlocks({ online: 64, possible: 64 })).toBe(32_768);
    expect(watermarkBlocks({ online: 4, possible: 128 })).toBe(16_384);
  });

  test("a small image stays small where there are few processors, and grows where there are many", () => {
    const small = variantNamed("4k-small");
    expect(withRoom(small, { online: 2, possible: 2 })).toBe(small);
    const { imageSize } = withRoom(small, { online: 64, possible: 64 });
    expect(imageSize / small.blockSize).toBe(4 * 32_768);
  });

  test("an image that is to be full stays as it is", () => {
    const full = variantNamed("4k-full");
    expect(withRoom(full, { online: 64, possible: 64 })).toBe(full);
  });

  test("the reserve of one that is to delay when full is above the watermark, up to sixteen processors", () => {
    const delayed = variantNamed("4k-full-delayed");
    for (const processors of [1, 2, 4, 8, 16]) {
      const one = { online: processors, possible: processors };
      const { imageSize, blockSize } = withRoom(delayed, one);
      const reserve = Math.min(4096, Math.floor(imageSize / blockSize / 50));
      expect(reserve).toBeGreaterThan(watermarkBlocks(one));
    }
    // Nothing would be won there, and 7 GB are much to ask for.
    expect(withRoom(delayed, { online: 64, possible: 64 })).toBe(delayed);
  });

  test("this machine has processors", () => {
    const { online, possible } = processorsHere();
    expect(online).toBeGreaterThan(0);
    expect(possible).toBeGreaterThanOrEqual(online);
  });
});
