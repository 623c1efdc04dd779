import type { HelperInC, InC, ProgramInC } from "../../aspects/in-c.ts";
import { FLAGS } from "../fallocate/in-c.ts";
import type { Comb } from "./operation.ts";

/** What both combs do around the call of a tooth, which is given. */
const combText = (comment: string, head: string, call: string, done: string): string =>
  `/* ${comment} */
static long ${head}
{
	long i, at, part, result, teeth = (len + stride - 1) / stride;

	for (i = 0; i < teeth; i++) {
		at = (backwards ? teeth - 1 - i : i) * stride;
		part = tooth < len - at ? tooth : len - at;
		result = ${call};
		if (result != ${done})
			return i == 0 && result < 0 ? result : i;
	}
	return teeth;
}`;

const COMB_FALLOCATE: HelperInC = {
  includes: ["fcntl.h"],
  text: combText(
    "fallocate(2) of a tooth each stride: how many succeeded.",
    "comb_fallocate(int fd, int mode, long pos, long len, long tooth, long stride, int backwards)",
    "fallocate(fd, mode, pos + at, part)",
    "0",
  ),
};

const COMB_PWRITE: HelperInC = {
  includes: ["unistd.h"],
  text: combText(
    "pwrite(2) of a tooth each stride, from four buffers by turns: how many were written.",
    "comb_pwrite(int fd, char *from[4], long pos, long len, long tooth, long stride, int backwards)",
    "pwrite(fd, from[(i + i / 4) % 4], part, pos + at)",
    "part",
  ),
};

/** Buffers of the teeth, the first tooth's first. Of the last one, which may be shorter, the same. */
function buffersOf(program: ProgramInC<never>, { tooth }: Comb, tag: number): string {
  const all = [0, 1, 2, 3].map((i) => program.buffer((tag + i) % 4, tooth));
  return `(char *[4]){${all.join(", ")}}`;
}

export const inC: InC<Comb, never> = {
  write(program, o, tag) {
    const { call, pos, len, tooth, stride, backwards } = o;
    const where = `${pos}, ${len}, ${tooth}, ${stride}, ${backwards === true ? 1 : 0}`;
    if (call === "pwrite") {
      program.use(COMB_PWRITE);
      const buffers = buffersOf(program, o, tag);
      program.call(`comb_pwrite(${program.fd()}, ${buffers}, ${where})`);
    } else {
      program.use(COMB_FALLOCATE);
      program.call(`comb_fallocate(${program.fd()}, ${FLAGS[call]}, ${where})`);
    }
  },
};
