/**
 * What a checkpoint finds is about the case that it is about.
 */
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openImage } from "../subjects/image.ts";
import type { MountedImage } from "../subjects/image.ts";
import { KernelSubject } from "../subjects/kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import { probeKernel } from "../subjects/probe.ts";
import { modelConfig } from "../under-test/kernel-traits.ts";
import { modelWith, unmountDeviations } from "../lockstep/deviations.ts";
import { runCase } from "../lockstep/lockstep.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { KeptFiles, onDiskDivergence } from "./kept-files.ts";

const lacks = machineLacks();

function writeAndSync(len: number): Operation[] {
  return [{ op: "pwrite", pos: 0, len, readable: len }, { op: "fsync" }];
}

const cases = [writeAndSync(4096), writeAndSync(8192), writeAndSync(12_288)];

describe.skipIf(lacks !== undefined)(`kept files ${lacks?.message ?? ""}`, () => {
  const variant = variantNamed("4k-delalloc");
  let image: MountedImage;
  let kept: KeptFiles;

  beforeEach(async () => {
    const traits = await probeKernel();
    image = await openImage(variant);
    const subject = new KernelSubject(image);
    const config = modelConfig(variant, traits, image.fresh.freeBlocks);
    const model = modelWith(config, unmountDeviations(traits.atUnmount));
    kept = new KeptFiles(image);
    for (const operations of cases) {
      const { name, blockSize } = variant;
      runCase(model, subject, operations, { variant: name, blockSize });
      kept.add(model, subject, operations);
    }
    subject.release();
  });

  afterEach(() => image.close());

  test("what nobody touched has no findings", async () => {
    expect(kept.count).toBe(3);
    expect(await kept.check(true)).toMatchObject({ findings: [], deviated: [] });
    expect(kept.count).toBe(0);
  });

  test("a finding about a file has the case that made it as its one suspect", async () => {
    const fd = openSync(join(image.mountPoint, "case-1"), "r+");
    writeSync(fd, "not what the model says", 4096);
    closeSync(fd);
    const { findings } = await kept.check(true);
    expect(findings.map(({ finding, suspects }) => [finding.kind, suspects])).toEqual([
      ["contents", [cases[1]]],
    ]);
    expect(onDiskDivergence(variant.name, cases[1]!, findings[0]!.finding)).toMatchObject({
      kind: "contents",
      step: 1,
      operations: cases[1],
    });
  });

  test("one about the file system has all of them", async () => {
    writeFileSync(join(image.mountPoint, "stray"), "x");
    const { findings } = await kept.check(true);
    expect(findings.map(({ finding, suspects }) => [finding.kind, suspects])).toEqual([
      ["free-blocks", cases],
    ]);
  });

  test("the worst of what is found comes first", async () => {
    writeFileSync(join(image.mountPoint, "stray"), "x");
    const fd = openSync(join(image.mountPoint, "case-1"), "r+");
    writeSync(fd, "not what the model says", 4096);
    closeSync(fd);
    const { findings } = await kept.check(false);
    expect(findings.map(({ finding }) => finding.kind)).toEqual(["contents", "free-blocks"]);
  });
});
