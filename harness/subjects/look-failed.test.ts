import { expect, test } from "vitest";
import { EnvironmentError } from "../case/failure.ts";
import { LookFailed } from "../lockstep/subject.ts";
import { mustLook } from "./look-failed.ts";

/** What a call with this result throws, or returns. */
function came(result: number): unknown {
  try {
    return mustLook(result, "open /x");
  } catch (error) {
    return error;
  }
}

test.each([
  [117, "EUCLEAN"],
  [74, "EBADMSG"],
  [5, "EIO"],
  [30, "EROFS"],
])("errno %i is a file system that is damaged", (errno, name) => {
  const error = came(-errno);
  expect(error).toBeInstanceOf(LookFailed);
  expect(error).toMatchObject({ message: `open /x failed with -${errno} ${name}` });
});

test("another is the machine's, and a result is a result", () => {
  const error = came(-24);
  expect(error).toBeInstanceOf(EnvironmentError);
  expect(error).not.toBeInstanceOf(LookFailed);
  expect(came(3)).toBe(3);
});
