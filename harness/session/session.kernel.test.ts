/**
 * A session is opened and closed as one.
 */
import { existsSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { kernels } from "../../model/kernels/kernels.ts";
import type { Operation } from "../operations/operation.ts";
import type { MountedImage } from "../subjects/image.ts";
import { probeKernel } from "../subjects/probe.ts";
import { machineLacks } from "../system/machine.ts";
import { variantNamed } from "../under-test/variants.ts";
import type { CaseEvent } from "./events.ts";
import { Session } from "./session.ts";
import type { SessionOptions } from "./session.ts";

const lacks = machineLacks();
const variant = variantNamed("4k-delalloc");
const operations: Operation[] = [
  { op: "pwrite", pos: 0, len: 8192, readable: 8192 },
  { op: "fsync" },
];

describe.skipIf(lacks !== undefined)(`a session ${lacks?.message ?? ""}`, () => {
  let options: SessionOptions;

  beforeAll(async () => {
    options = { traits: await probeKernel(), strict: true, executor: "ffi" };
  });

  test("tells of each operation, keeps a file and finds it on disk", async () => {
    const events: CaseEvent[] = [];
    const session = await Session.open(variant, options, { tell: (event) => events.push(event) });
    const { directory } = session.image;
    try {
      // Nothing is expected, so no witness was performed.
      expect(session.deviations).toEqual([]);
      expect(events).toEqual([]);
      const { divergence, seen, handedOver } = session.perform(operations);
      expect(divergence).toBeUndefined();
      expect(seen.map(({ i_size }) => i_size)).toEqual([8192, 8192]);
      expect(events).toEqual([{ type: "performed" }, { type: "performed" }]);
      session.keep(operations, handedOver);
      expect(session.waiting).toBe(1);
      expect((await session.checkpoint(true)).findings).toEqual([]);
      expect(session.waiting).toBe(0);
    } finally {
      session.close();
    }
    expect(existsSync(directory)).toBe(false);
  });

  test.each([
    ["series v2", [], true],
    ["series v2", ["keep-truncated-tail-dirty"], false],
  ] as const)(
    "on the path of the patch as in %s, and with %j besides: whether a model follows is %s",
    async (name, more, follows) => {
      const traits = { ...options.traits, changes: [...kernels[name].changes, ...more] };
      const mounted = { path: "iomap", options: "" } as const;
      const session = await Session.open(variant, { ...options, traits }, { mounted });
      try {
        expect(session.model !== undefined).toBe(follows);
      } finally {
        session.close();
      }
    },
  );

  test("that cannot be opened leaves nothing behind", async () => {
    let made: MountedImage | undefined;
    const opening = Session.open(variant, options, {
      open(image) {
        made = image;
        throw new Error("no executor");
      },
    });
    await expect(opening).rejects.toThrow("no executor");
    expect(existsSync(made!.directory)).toBe(false);
  });

  test("takes how another image was mounted for its own", async () => {
    const mounted = { path: "buffer_head", options: "as told" } as const;
    const session = await Session.open(variant, options, { mounted });
    expect(session.mounted).toBe(mounted);
    session.close();
  });
});
