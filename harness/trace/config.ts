/**
 * From a trace's header to the configuration of the model: what was mounted, and what that kernel
 * is known to do.
 */
import { changeNames, changes } from "../../model/kernels/changes.ts";
import type { Change, ChangeName } from "../../model/kernels/changes.ts";
import { kernelOfRelease, kernelOfSeries, kernels } from "../../model/kernels/kernels.ts";
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
 * compared. For the iomap path model/kernels/ knows.
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

/**
 * The options of a list as mount(8) takes it, in their order; without commit=N, when the journal
 * commits by itself, which has no effect on what is compared.
 */
function optionsIn(list: string): string[] {
  return list.split(",").filter((option) => option !== "" && !/^commit=\d+$/.test(option));
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
  // mkfs may have left the journal out; no mount option shows that.
  if (variant.journal === "none" && mounted.journal === "ordered") mounted.journal = "none";
  for (const name of ["delalloc", "dioread", "journal"] as const) {
    if (mounted[name] === config[name]) continue;
    throw new UsageError(
      `header.variant.${name}: is ${shown(variant[name])}, which the mount options contradict`,
    );
  }
}

/** The kernels that stand for that of a recording, its series last, and what of it is a guess. */
function standInsFor({ kernel, path, series }: TraceHeaderV1 | TraceHeaderV2) {
  const release = kernelOfRelease(kernel);
  return path === "iomap"
    ? { release, series: kernelOfSeries(series, shown(series)) }
    : { release };
}

/**
 * What of the configuration for a trace is a guess, in a sentence, for want of anything known of
 * that kernel; undefined where all of it is known. Version 2 says what its kernel does, and leaves
 * less to guess; version 3 says what the model was told, and leaves nothing.
 */
export function guessedOf(header: TraceHeader): string | undefined {
  if (header.version === 3) return undefined;
  const { release, series } = standInsFor(header);
  // What version 1 takes from the series, read-ahead too, is not taken from the version.
  const byVersion = header.version === 1 ? series === undefined : header.mmapReadAround > 0;
  const guesses = [series?.guess, byVersion ? release.guess : undefined];
  return guesses.filter((guess) => guess !== undefined).join("; ") || undefined;
}

function configOfV1(header: TraceHeaderV1): ModelConfig {
  const { blockSize } = header;
  const { release, series = release } = standInsFor(header);
  return {
    readAheadPages: READ_AHEAD_PAGES,
    ...kernels[series.name],
    blockSize,
    ...mountedWith(optionsIn(header.mount)),
    freeBlocks: Math.floor((0.9 * IMAGE_BYTES) / blockSize),
  };
}

function configOfV2(header: TraceHeaderV2): ModelConfig {
  const { path, mount, variant, traits, freeBlocks, mmapReadAround } = header;
  /** Of other changes the traits say nothing. */
  const told: Partial<Record<ChangeName, boolean>> = {
    "large-folios": traits.largeFolios,
    "prepare-before-fault-in": !traits.prefaultFirst,
    "punch-to-block": traits.punchesTo !== "page",
    "punch-to-block-at-eof": traits.punchesTo === "block-at-eof",
    "zero-gap-first": traits.zeroesGap === "before",
  };
  const { release, series = release } = standInsFor(header);
  // What the series says of its path holds on whatever kernel it was put; of the rest, the version.
  const shown = changeNames.filter((name) => {
    const known = kernels[((changes[name] as Change).path === "iomap" ? series : release).name];
    return told[name] ?? known.changes.includes(name);
  });
  const config = modelConfig(variant, { changes: shown }, freeBlocks, path);
  mustAgree(mount, variant, config);
  return mmapReadAround === 0 ? config : { ...config, readAheadPages: mmapReadAround };
}

/**
 * The model's configuration for a trace.
 *
 * @throws UsageError where the trace was made with a mount option whose effect the model does not
 *   know, or where the options contradict the variant
 */
export function configOf(header: TraceHeader): ModelConfig {
  if (header.version === 3) return header.config;
  return header.version === 1 ? configOfV1(header) : configOfV2(header);
}
