import { expect, test } from "vitest";
import { kernels } from "../../images/kernels.ts";
import { modelConfig } from "../under-test/kernel-traits.ts";
import { configOf } from "./config.ts";
import { headerV1, headerV2 } from "./samples.ts";

test.each([
  [{ kernel: "6.12.8" }, { largeFolios: false, prefaultFirst: true }],
  [{ kernel: "6.16" }, { largeFolios: true, prefaultFirst: false }],
  [{ kernel: "6.18.44-fc" }, { largeFolios: true, prefaultFirst: false }],
  [{ kernel: "7.0" }, { largeFolios: true, prefaultFirst: false }],
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
    { path: "iomap", prefaultFirst: true },
  ],
  [
    { path: "iomap", mount: "buffered_iomap,nodelalloc" },
    { path: "iomap", delalloc: false, zeroesGap: "after", journal: "ordered" },
  ],
] as const)("version 1, %j: the model is told %j", (header, told) => {
  expect(configOf({ ...headerV1, ...header })).toMatchObject(told);
});

test("version 1 had read-ahead on, and images of 256 MiB", () => {
  expect(configOf(headerV1)).toMatchObject({ readAhead: { pages: 64 }, freeBlocks: 58_982 });
});

test("version 2 says all of it, and is as a run on that kernel would be", () => {
  const header = headerV2("1k-nodelalloc");
  const traits = {
    ...header.traits,
    directAligns: kernels["6.18"].directAligns,
    release: header.kernel,
    kernelLog: true,
    atUnmount: [],
    bufferedIomap: false,
  };
  expect(configOf(header)).toEqual(modelConfig(header.variant, traits, header.freeBlocks));
});
