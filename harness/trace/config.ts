/**
 * From a trace's header to the configuration of the model: what was mounted, and what that kernel
 * is known to do.
 */
import { kernels } from "../../images/kernels.ts";
import type { KernelFacts, KernelName } from "../../images/kernels.ts";
import type { ModelConfig } from "../../model/tables.ts";
import { UsageError } from "../case/failure.ts";
import { modelConfig } from "../under-test/kernel-traits.ts";
import { shown } from "../stored/shown.ts";
import type { TraceHeader, TraceHeaderV1, TraceHeaderV2 } from "./format.ts";

/** The recordings of version 1 were made on images of this size, bytes. */
const IMAGE_BYTES = 256 * 2 ** 20;

/**
 * The recordings of the buffer_head path were made with read-ahead on, and do not say how much.
 * Stores through a mapping show it: with windows of 64 pages or more the model follows all of them,
 * with less it does not (the files end before page 68, so how much more makes no difference). Those
 * of 6.12 show none: without large folios a page more in the cache changes nothing that is
 * compared. For the iomap path images/kernels.ts knows.
 */
const READ_AHEAD_PAGES = 64;

type Mounted = Pick<ModelConfig, "delalloc" | "journal" | "dioread">;

/** What mount options change. The path is not among it: the header says which one was found. */
const mountOptions: ReadonlyMap<string, Partial<Mounted>> = new Map<string, Partial<Mounted>>([
  ["delalloc", { delalloc: true }],
  ["nodelalloc", { delalloc: false }],
  ["buffered_iomap", {}],
  ["nobuffered_iomap", {}],
  ["dioread_nolock", { dioread: "nolock" }],
  ["dioread_lock", { dioread: "lock" }],
  ["data=ordered", { journal: "ordered" }],
  ["data=journal", { journal: "journal" }],
  ["data=writeback", { journal: "none" }],
]);

/** When the journal commits by itself: of no effect on what is compared. */
const COMMIT = /^commit=\d+$/;

/**
 * The options of a list as mount(8) takes it, in their order, without those that have no effect.
 */
function optionsIn(list: string): string[] {
  return list.split(",").filter((option) => option !== "" && !COMMIT.test(option));
}

/**
 * What a file system is after mounting with `options`; of options that contradict one another the
 * last one counts.
 */
function mountedWith(options: readonly string[]): Mounted {
  const asked: Mounted = { delalloc: true, journal: "ordered", dioread: "nolock" };
  for (const option of options) {
    const change = mountOptions.get(option);
    if (change === undefined) {
      const known = [...mountOptions.keys(), "commit=N"].join(", ");
      throw new UsageError(
        `header.mount: the model does not know the option ${shown(option)}, only ${known}`,
      );
    }
    Object.assign(asked, change);
  }
  const { journal } = asked;
  const delalloc = asked.delalloc && journal !== "journal";
  // Without delayed allocation the kernel does not use dioread_nolock (kernel-traits.ts
  // modelConfig()).
  return { delalloc, journal, dioread: delalloc ? asked.dioread : "lock" };
}

/**
 * Version 2 says twice how the file system was mounted, as options and as a variant. The model is
 * told the variant, so a header in which they differ would have it follow another file system than
 * the one that was recorded.
 *
 * @throws UsageError
 */
function mustAgree(mount: string, variant: TraceHeaderV2["variant"], config: ModelConfig): void {
  const options = optionsIn(mount);
  const ofVariant = optionsIn(variant.mountOptions.join(","));
  const mounted = mountedWith(options);
  if (options.join(",") !== ofVariant.join(",")) {
    throw new UsageError(
      `header.mount: is ${shown(mount)}, but variant.mountOptions are ${shown(ofVariant.join(","))}`,
    );
  }
  for (const name of ["delalloc", "dioread"] as const) {
    if (mounted[name] === config[name]) continue;
    throw new UsageError(
      `header.variant.${name}: is ${shown(variant[name])}, which the mount options contradict`,
    );
  }
  // mkfs may have left the journal out; no mount option shows that.
  const { journal } = mounted;
  if (journal === config.journal || (variant.journal === "none" && journal === "ordered")) return;
  throw new UsageError(
    `header.variant.journal: is ${shown(variant.journal)}, which the mount options contradict`,
  );
}

/** Major and minor number of a kernel's version, as one number that grows: 6.12 is 6012. */
function versionOf(kernel: string): number {
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  return 1000 * major + minor;
}

/**
 * The kernels of which something is known, by the version from which on they stand for others; the
 * latest first.
 */
const released: readonly (readonly [since: number, name: KernelName])[] = [
  [7002, "7.3"],
  [6016, "6.18"],
  [0, "6.12"],
];

/** The ends of the range that is known. */
const OLDEST: KernelName = "6.12";
const NEWEST: KernelName = "7.3";

/**
 * What the kernel of a recording is known to do; a series that is not known is taken for the
 * latest.
 */
function factsOf({ kernel, path, series }: TraceHeader): KernelFacts {
  if (path === "iomap") return kernels[/^v1\b/.test(series) ? "series v1" : "series v2"];
  const version = versionOf(kernel);
  const [, name] = released.find(([since]) => version >= since) as [number, KernelName];
  return kernels[name];
}

/** What is said of a kernel's version out of the range that is known; undefined inside it. */
function unknownVersion({ kernel }: TraceHeader): string | undefined {
  const version = versionOf(kernel);
  if (version < versionOf(OLDEST)) {
    return `kernel ${kernel} is older than the oldest known, and taken for ${OLDEST}`;
  }
  if (version <= versionOf(NEWEST)) return undefined;
  return `kernel ${kernel} is newer than the newest known, and taken for ${NEWEST}`;
}

/**
 * What of the configuration for a trace is a guess, in a sentence, for want of anything known of
 * that kernel; undefined where all of it is known. Version 2 says what its kernel does, and leaves
 * less to guess.
 */
export function guessedOf(header: TraceHeader): string | undefined {
  const { path, series } = header;
  const guesses: string[] = [];
  if (path === "iomap" && !/^v[12]\b/.test(series)) {
    guesses.push(`series ${shown(series)} begins with neither v1 nor v2, and is taken for v2`);
  }
  // What version 1 takes from the series, read-ahead too, is not taken from the version.
  const byVersion = header.version === 1 ? path !== "iomap" : header.mmapReadAround > 0;
  const unknown = byVersion ? unknownVersion(header) : undefined;
  if (unknown !== undefined) guesses.push(unknown);
  return guesses.length === 0 ? undefined : guesses.join("; ");
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
    ...mountedWith(optionsIn(header.mount)),
    freeBlocks: Math.floor((0.9 * IMAGE_BYTES) / blockSize),
  };
}

function configOfV2(header: TraceHeaderV2): ModelConfig {
  const { path, mount, variant, traits, freeBlocks, mmapReadAround } = header;
  // A recording holds no direct I/O: its header need not say what that must be aligned to.
  const { iomap, directAligns } = factsOf(header);
  const config = modelConfig(variant, { ...traits, directAligns }, freeBlocks);
  mustAgree(mount, variant, config);
  return {
    ...config,
    path,
    ...readAheadOf(header, mmapReadAround),
    ...(iomap !== undefined && { iomap }),
  };
}

/**
 * The model's configuration for a trace.
 *
 * @throws UsageError where the trace was made with a mount option whose effect the model does not
 *   know, or where the options contradict the variant
 */
export function configOf(header: TraceHeader): ModelConfig {
  return header.version === 1 ? configOfV1(header) : configOfV2(header);
}
