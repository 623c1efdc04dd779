/**
 * From a trace's header to the configuration of the model: what was mounted, and what that kernel is known to do.
 */
import { kernels } from "../../images/kernels.ts";
import type { KernelFacts, KernelName } from "../../images/kernels.ts";
import type { ModelConfig } from "../../model/tables.ts";
import { UsageError } from "../failure.ts";
import { modelConfig } from "../kernel-traits.ts";
import { shown } from "./fault.ts";
import type { TraceHeader, TraceHeaderV1, TraceHeaderV2 } from "./format.ts";

/** The recordings of version 1 were made on images of this size, bytes. */
const IMAGE_BYTES = 256 * 2 ** 20;

/**
 * The recordings of the buffer_head path were made with read-ahead on, and do not say how much. Stores through a mapping
 * show it: with windows of 64 pages or more the model follows all of them, with less it does not (the files end before
 * page 68, so how much more makes no difference). Those of 6.12 show none: without large folios a page more in the cache
 * changes nothing that is compared. For the iomap path images/kernels.ts knows.
 */
const READ_AHEAD_PAGES = 64;

type Mounted = Pick<ModelConfig, "delalloc" | "journal" | "dioread">;

/** What the mount options of version 1 change. The path is not among it: the header says which one was found. */
const mountOptions: ReadonlyMap<string, Partial<Mounted>> = new Map<string, Partial<Mounted>>([
  ["delalloc", { delalloc: true }],
  // Without delayed allocation the kernel does not use dioread_nolock (kernel-traits.ts modelConfig()).
  ["nodelalloc", { delalloc: false, dioread: "lock" }],
  ["buffered_iomap", {}],
  ["nobuffered_iomap", {}],
  ["dioread_nolock", {}],
  ["dioread_lock", { dioread: "lock" }],
  ["data=ordered", {}],
  ["data=journal", { journal: "journal", delalloc: false, dioread: "lock" }],
  ["data=writeback", { journal: "none" }],
]);

function mountedWith(mount: string): Mounted {
  const mounted: Mounted = { delalloc: true, journal: "ordered", dioread: "nolock" };
  for (const option of mount.split(",")) {
    const change = mountOptions.get(option);
    if (change === undefined) {
      const known = [...mountOptions.keys()].join(", ");
      throw new UsageError(
        `header.mount: the model does not know the option ${shown(option)}, only ${known}`,
      );
    }
    Object.assign(mounted, change);
  }
  return mounted;
}

/** Major and minor number of a kernel's version, as one number that grows: 6.12 is 6012. */
function versionOf(kernel: string): number {
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  return 1000 * major + minor;
}

/** The kernels of which something is known, by the version from which on they stand for others; the latest first. */
const released: readonly (readonly [since: number, name: KernelName])[] = [
  [7001, "7.1"],
  [6016, "6.18"],
  [0, "6.12"],
];

/** What the kernel of a recording is known to do; a series that is not known is taken for the latest. */
function factsOf({ kernel, path, series }: TraceHeader): KernelFacts {
  if (path === "iomap") return kernels[series.startsWith("v1") ? "series v1" : "series v2"];
  const version = versionOf(kernel);
  const [, name] = released.find(([since]) => version >= since) as [number, KernelName];
  return kernels[name];
}

/** Read-ahead of page faults with windows of so many pages; nothing where it is off. */
function readAheadOf({ kernel }: TraceHeader, pages: number): Pick<ModelConfig, "readAhead"> {
  const growsFrom = versionOf(kernel) >= 6015 ? "window" : "folio";
  return pages === 0 ? {} : { readAhead: { pages, growsFrom } };
}

function configOfV1(header: TraceHeaderV1): ModelConfig {
  const { blockSize } = header;
  return {
    ...readAheadOf(header, READ_AHEAD_PAGES),
    ...factsOf(header),
    blockSize,
    ...mountedWith(header.mount),
    freeBlocks: Math.floor((0.9 * IMAGE_BYTES) / blockSize),
  };
}

function configOfV2(header: TraceHeaderV2): ModelConfig {
  const { kernel, path, variant, traits, freeBlocks, mmapReadAround } = header;
  const all = {
    ...traits,
    release: kernel,
    kernelLog: false,
    atUnmount: [],
    bufferedIomap: path === "iomap",
  };
  const { iomap } = factsOf(header);
  return {
    ...modelConfig(variant, all, freeBlocks),
    path,
    ...readAheadOf(header, mmapReadAround),
    ...(iomap !== undefined && { iomap }),
  };
}

/**
 * The model's configuration for a trace.
 *
 * @throws UsageError where the trace was made with a mount option whose effect the model does not know
 */
export function configOf(header: TraceHeader): ModelConfig {
  return header.version === 1 ? configOfV1(header) : configOfV2(header);
}
