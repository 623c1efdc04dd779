/**
 * The file in which it is kept what was driven and found, while it is.
 */
import { UsageError } from "../case/failure.ts";
import { packEdges, unpackEdges } from "../explore/driven.ts";
import type { DrivenEdges } from "../explore/driven.ts";
import { mustBeSame, readExploration, writeExploration } from "../explore/stored-exploration.ts";
import type { StoredExploration } from "../explore/stored-exploration.ts";
import { Output } from "../stored/output.ts";
import type { FoundDivergence } from "../stored/result.ts";
import { addFound, withAcceptance } from "./found.ts";

/** What is explored. */
type What = Omit<StoredExploration, "driven" | "found">;

/** What was driven, in a file that is written anew whenever somebody tells more of it. */
export class DrivenFile {
  readonly #path: string;
  readonly #before: StoredExploration | undefined;
  #what: What | undefined;
  /** Variants whose edges were of another graph. */
  readonly #others = new Set<string>();
  /** How often of what was found is in the file. */
  readonly #told = new Map<FoundDivergence, number>();

  /**
   * @throws UsageError where there is such a file and it cannot be read, or none can be written
   * there
   */
  constructor(path: string) {
    this.#path = path;
    if (!Output.open(path).isFile) {
      throw new UsageError(`${path} is no regular file: what is stored there must be read again`);
    }
    this.#before = readExploration(path);
  }

  get before(): Readonly<Record<string, DrivenEdges>> {
    return this.#before?.driven ?? {};
  }

  /** What had been found before; files of what is `accepted` now, by what identifies that. */
  foundBefore(accepted: ReadonlyMap<string, string>): FoundDivergence[] {
    return (this.#before?.found ?? []).map((stored) => {
      const { accepted: _, ...one } = stored;
      const found = withAcceptance(one, accepted);
      this.#told.set(found, found.met);
      return found;
    });
  }

  /** @throws UsageError where the file is of another exploration, or cannot be written */
  begin(what: What): void {
    if (this.#before !== undefined) mustBeSame(this.#path, this.#before, what);
    this.#what = what;
    const { driven = {}, found = [] } = this.#before ?? {};
    this.#write(driven, found);
  }

  /**
   * A job has driven these, and so much was found by now, with what `foundBefore` has returned.
   * Others write the file as well: another shard, or a second exploration.
   */
  add(variant: string, told: DrivenEdges, all: readonly FoundDivergence[] = []): void {
    const { driven = {}, found = [] } = readExploration(this.#path) ?? {};
    const [known, edges] = [driven[variant], unpackEdges(told)!];
    if (known?.graph === told.graph) {
      const before = unpackEdges(known)!;
      edges.driven.addAll(before.driven);
      edges.diverged.addAll(before.diverged);
    } else if (known !== undefined) this.#others.add(variant);
    const packed = packEdges(told.graph, edges.driven, edges.diverged);
    this.#write({ ...driven, [variant]: packed }, this.#with(found, all));
  }

  /** So much was found by now. */
  addFound(all: readonly FoundDivergence[]): void {
    if (all.every((one) => one.met === this.#told.get(one))) return;
    const { driven = {}, found = [] } = readExploration(this.#path) ?? {};
    this.#write(driven, this.#with(found, all));
  }

  /** What is in the file, and what is not yet. */
  #with(found: FoundDivergence[], all: readonly FoundDivergence[]): FoundDivergence[] {
    for (const one of all) {
      const met = one.met - (this.#told.get(one) ?? 0);
      this.#told.set(one, one.met);
      if (met > 0) addFound(found, { ...one, met });
    }
    return found;
  }

  #write(driven: StoredExploration["driven"], found: StoredExploration["found"]): void {
    writeExploration(this.#path, { ...this.#what!, driven, found });
  }

  /** What is to be said in the end. */
  get notes(): string[] {
    return [...this.#others].map(
      (variant) =>
        `${this.#path} had edges of another graph of ${variant}, of before the model or its deviations changed: all were driven again`,
    );
  }
}
