/**
 * A kernel before 6.5, which does not tell what is in the page cache. There a bug shows only in
 * what matters of it, and that is what a case is shrunk to.
 */
import type { Subject } from "../harness/lockstep/subject.ts";

/** The subject, of which nobody is told about the page cache. */
export function withoutPages(subject: Subject): Subject {
  return {
    name: subject.name,
    begin: (operations) => subject.begin(operations),
    step: (operation, index, last) => ({
      ...subject.step(operation, index, last),
      pages: undefined,
    }),
    end: () => subject.end(),
  };
}
