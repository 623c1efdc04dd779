/**
 * The file in which it is kept what was driven, while it is.
 */
import { UsageError } from "../case/failure.ts";
import { Output } from "../stored/output.ts";
import { mustBeSame, readExploration, writeExploration } from "./stored-exploration.ts";
import type { StoredExploration } from "./stored-exploration.ts";
import { EdgeSet } from "./driven.ts";
import type { DrivenEdges } from "./driven.ts";

/** What was driven, in a file that is written anew whenever somebody tells more of it. */
export class DrivenFile {
  readonly #path: string;
  readonly #before: StoredExploration | undefined;
  #what: Omit<StoredExploration, "driven"> | undefined;
  /** Variants whose edges were of another graph. */
  readonly #others = new Set<string>();

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

  /** @throws UsageError where the file is of another exploration, or cannot be written */
  begin(what: Omit<StoredExploration, "driven">): void {
    if (this.#before !== undefined) mustBeSame(this.#path, this.#before, what);
    this.#what = what;
    writeExploration(this.#path, { ...what, driven: { ...this.before } });
  }

  /**
   * A job has driven these. Others write the file as well: another shard, or a second exploration.
   */
  add(variant: string, told: DrivenEdges): void {
    const driven = { ...readExploration(this.#path)?.driven };
    const [known, edges] = [driven[variant], EdgeSet.unpack(told)!];
    if (known?.graph === told.graph) edges.addAll(EdgeSet.unpack(known)!);
    else if (known !== undefined) this.#others.add(variant);
    writeExploration(this.#path, {
      ...this.#what!,
      driven: { ...driven, [variant]: edges.pack(told.graph) },
    });
  }

  /** What is to be said in the end. */
  get notes(): string[] {
    return [...this.#others].map(
      (variant) =>
        `${this.#path} had edges of another graph of ${variant}, of before the model or its deviations changed: all were driven again`,
    );
  }
}
