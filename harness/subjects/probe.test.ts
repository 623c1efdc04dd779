import { release } from "node:os";
import { closeSync, openSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { variants } from "../../images/variants.ts";
import { inLargeFolio } from "../system/folio-size.ts";
import { type MountedImage, openImage } from "./image.ts";
import { KernelSubject } from "./kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import { probeKernel } from "./probe.ts";

const lacking = machineLacks();

describe.skipIf(lacking)(`probe ${lacking?.message ?? ""}`, () => {
  let traits: KernelTraits;
  let image: MountedImage;
  let subject: KernelSubject;

  beforeAll(async () => {
    traits = await probeKernel();
    image = await openImage(variants.find(({ name }) => name === "4k-delalloc")!);
    subject = new KernelSubject(image);
  });

  afterAll(() => {
    subject.release();
    image.close();
  });

  test("names the running kernel, and means the same each time", async () => {
    expect(traits.release).toBe(release());
    expect(await probeKernel()).toEqual(traits);
  });

  test("its answers hold on another image", () => {
    subject.begin();
    const faulted = subject.step({ op: "pwrite", pos: 0, len: 4096, readable: 0 }, 0);
    expect(faulted.cache !== undefined).toBe(traits.cacheIoctl);
    expect(faulted.reserved === 0).toBe(!traits.changes.includes("prepare-before-fault-in"));
  });

  test("a one-page file is never in a large folio", () => {
    subject.begin();
    subject.step({ op: "pwrite", pos: 0, len: 4096, readable: 4096 }, 0);
    const fd = openSync(subject.keep().path, "r");
    expect(inLargeFolio(fd, 0)).not.toBe(true);
    closeSync(fd);
  });
});
