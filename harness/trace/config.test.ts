import { expect, test } from "vitest";
import { kernels } from "../../model/kernels/kernels.ts";
import { modelConfig } from "../under-test/kernel-traits.ts";
import { configOf } from "./config.ts";
import { headerV1, headerV2 } from "./samples.ts";

test.each([
  [{ kernel: "6.12.8" }, { changes: kernels["6.12"].changes }],
  [{ kernel: "6.16" }, { changes: kernels["6.18"].changes }],
  [{ kernel: "6.18.44-fc" }, { changes: kernels["6.18"].changes }],
  [{ kernel: "7.0" }, { changes: kernels["6.18"].changes }],
  [{ mount: "delalloc" }, { delalloc: true, dioread: "nolock", journal: "ordered" }],
  [{ mount: "nodelalloc" }, { delalloc: false, dioread: "lock" }],
  [{ mount: "dioread_lock" }, { delalloc: true, dioread: "lock" }],
  [{ mount: "data=journal" }, { delalloc: false, journal: "journal" }],
  [{ mount: "" }, { delalloc: true, dioread: "nolock", journal: "ordered" }],
  [{ mount: "nodelalloc,delalloc" }, { delalloc: true, dioread: "nolock" }],
  [{ mount: "dioread_lock,dioread_nolock,commit=5" }, { dioread: "nolock" }],
  [{ mount: "nodelalloc,dioread_nolock" }, { delalloc: false, dioread: "lock" }],
  [
    { path: "iomap", mount: "buffered_iomap" },
    { path: "iomap", readAheadPages: 32 },
  ],
  [
    { path: "iomap", mount: "buffered_iomap,nodelalloc" },
    { path: "iomap", delalloc: false, journal: "ordered" },
  ],
] as const)("version 1, %j: the model is told %j", (header, told) => {
  expect(configOf({ ...headerV1, ...header })).toMatchObject(told);
});

test("version 1 had read-ahead on, and images of 256 MiB", () => {
  expect(configOf(headerV1)).toMatchObject({ readAheadPages: 64, freeBlocks: 58_982 });
});

test("version 2 says all of it, and is as a run on that kernel would be", () => {
  const header = headerV2("1k-nodelalloc");
  const onIt = modelConfig(header.variant, kernels["6.18"], header.freeBlocks);
  expect(configOf(header)).toEqual(onIt);
});
