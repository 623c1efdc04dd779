/**
 * A workplace where memory is short: its files lie on a disk, without a name, and are gone with it.
 */
import { existsSync, readdirSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, describe, expect, test } from "vitest";
import { variantNamed } from "../under-test/variants.ts";
import { LoopDevice } from "./loop.ts";
import { machineLacks } from "../system/machine.ts";
import { makeImage } from "./mkfs.ts";
import { loopsOf } from "../workers/traces-left.ts";
import { availableMemory, Workplace } from "./workplace.ts";

/** More than there is of memory, whatever is freed meanwhile, and less than a disk has. */
const TOO_MUCH = 2 * availableMemory();

function whyNot(): string | undefined {
  const lacks = machineLacks()?.message;
  const { bavail, bsize } = statfsSync(tmpdir());
  const fits = bavail * bsize > TOO_MUCH + 2 ** 30;
  return lacks ?? (fits ? undefined : `${tmpdir()} has no more room than there is memory`);
}

const lacks = whyNot();
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

describe.skipIf(lacks !== undefined)("a workplace on a disk", () => {
  let place: Workplace | undefined;
  afterEach(() => place?.remove());

  test("has an image that programs and loop devices find, and nobody else", async () => {
    place = Workplace.open(TOO_MUCH);
    expect(place.isOnDisk).toBe(true);
    const { path } = place.makeFile("image");
    await makeImage(variantNamed("4k-small"), path, place.isOnDisk);
    const device = LoopDevice.attach(path, { directory: place.directory });
    device.mustBeOurs();
    expect(loopsOf(process.pid)).toHaveLength(1);
    expect(readdirSync(tmpdir()).filter((name) => name.includes(`-${process.pid}-image`))).toEqual(
      [],
    );
    place.remove();
    device.close();
    expect(existsSync(path)).toBe(false);
    await expect.poll(() => loopsOf(process.pid)).toEqual([]);
  });
});
