/**
 * What the benchmark compares, on one image: the bare calls, the kernel subject, the model, and the
 * two in lockstep.
 */
import type { KernelTraits } from "../harness/under-test/kernel-traits.ts";
import type { MountedImage } from "../harness/subjects/image.ts";
import { KernelSubject } from "../harness/subjects/kernel-subject.ts";
import { runCase } from "../harness/lockstep/lockstep.ts";
import type { ModelSubject } from "../harness/lockstep/model-subject.ts";
import type { Operation } from "../harness/operations/operation.ts";
import type { Subject } from "../harness/lockstep/subject.ts";
import { Session } from "../harness/session/session.ts";
import type { Variant } from "../harness/case/variant.ts";
import { BareCalls, prepare } from "./bench-bare.ts";
import { nanoseconds, timed } from "./bench-measure.ts";
import type { Task } from "./bench-measure.ts";
import type { Sequence } from "./bench-sequences.ts";

export class Bench {
  readonly #session: Session;
  readonly #subject: KernelSubject;
  readonly #bare: BareCalls;
  readonly #model: ModelSubject;
  readonly #lockstep: { variant: string; blockSize: number };

  private constructor(session: Session, subject: KernelSubject) {
    this.#session = session;
    this.#subject = subject;
    this.#bare = new BareCalls(session.image);
    const { name, blockSize } = session.variant;
    this.#lockstep = { variant: name, blockSize };
    this.#model = session.model!;
    subject.wholeLooks = false;
  }

  /** On a fresh image of the variant, which must have a model. Throws EnvironmentError. */
  static async open(variant: Variant, traits: KernelTraits): Promise<Bench> {
    let subject: KernelSubject | undefined;
    const open = (image: MountedImage): KernelSubject => (subject = new KernelSubject(image));
    const options = { traits, strict: false, executor: "ffi" } as const;
    return new Bench(await Session.open(variant, options, { open }), subject!);
  }

  get image(): MountedImage {
    return this.#session.image;
  }

  close(): void {
    this.#bare.file.release();
    this.#session.close();
  }

  /**
   * What of a sequence this kernel can do, which may have no fault injection: the calls of the same
   * cases without faults.
   */
  possible(sequence: Sequence): Sequence {
    const cases = sequence.cases.map((operations) => this.#session.supported(operations));
    return { ...sequence, cases };
  }

  /** The tasks for a sequence, which must be possible. */
  tasks({ before = [], cases }: Sequence): Task[] {
    const whole = cases.map((operations) => [...before, ...operations]);
    const steps = whole.map((operations) => prepare(this.#subject, operations));
    const first = before.length;
    const sum = (of: (i: number) => number): number =>
      whole.reduce((total, _, i) => total + of(i), 0);
    const bare = this.#bare;
    const timeBare = (i: number): number =>
      timeSteps(bare.file, steps[i] ?? [], (step, index) => bare.step(step, index), first);
    const timeSubject = (subject: Subject, operations: readonly Operation[] = []): number => {
      const step = (operation: Operation, index: number): void =>
        void subject.step(operation, index, index === operations.length - 1);
      return timeSteps(subject, operations, step, first);
    };
    return [
      { name: "bare", run: () => sum(timeBare) },
      { name: "subject", run: () => sum((i) => timeSubject(this.#subject, whole[i])) },
      { name: "model", run: () => sum((i) => timeSubject(this.#model, whole[i])) },
      {
        name: "harness",
        run: () => sum((i) => this.timeCase(this.#subject, whole[i] ?? [], first)),
      },
    ];
  }

  /**
   * Nanoseconds of operations `first` on, model and `subject` in lockstep. Throws where they
   * diverge.
   */
  timeCase(subject: Subject, operations: readonly Operation[], first: number): number {
    let start = nanoseconds();
    const clocked: Subject = {
      name: subject.name,
      get performed() {
        return subject.performed;
      },
      begin: () => subject.begin(),
      step(operation, index, last) {
        if (index === first && index > 0) start = nanoseconds();
        return subject.step(operation, index, last);
      },
      end: () => subject.end(),
    };
    const { divergence } = runCase(this.#model, clocked, operations, this.#lockstep);
    let took = nanoseconds() - start;
    if (divergence !== undefined) throw new Error(`diverges: ${divergence.message}`);
    const removal = timed(() => subject.end());
    if (first === 0) took += removal;
    return took;
  }
}

/** Nanoseconds of steps `first` on, and where that is the first of all, of the file's making too. */
function timeSteps<T>(
  file: { begin(): void; end(): void },
  steps: readonly T[],
  take: (step: T, index: number) => void,
  first: number,
): number {
  let start = nanoseconds();
  file.begin();
  steps.forEach((step, i) => {
    if (i === first && i > 0) start = nanoseconds();
    take(step, i);
  });
  let took = nanoseconds() - start;
  const removal = timed(() => file.end());
  if (first === 0) took += removal;
  return took;
}
