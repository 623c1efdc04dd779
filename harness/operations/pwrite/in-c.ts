import type { InC, ProgramInC } from "../../aspects/in-c.ts";
import { isPlain, piecesOf } from "./operation.ts";
import type { Pwrite } from "./operation.ts";

const LIMIT = {
  includes: ["signal.h", "sys/resource.h"],
  text: `/* The size that a write of this process may give a file. */
static void limit(rlim_t bytes)
{
	signal(SIGXFSZ, SIG_IGN);
	must(setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, RLIM_INFINITY}) == 0);
}`,
};

const DONTCACHE = {
  includes: ["sys/uio.h"],
  text: `#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif`,
};

/** The pieces of the buffer as they lie in memory (kernel.ts). */
function iovecs(program: ProgramInC<never>, o: Pwrite, tag: number): string[] {
  let at = 0;
  return piecesOf(o).map((length) => {
    const left = o.readable - at;
    const address = program.buffer(tag, left < 0 ? length : left);
    at += length;
    return `{${address}, ${length}}`;
  });
}

function flagsOf({ append, sync, dontcache }: Pwrite): string {
  const flags = [
    ...(append === true ? ["RWF_APPEND"] : []),
    ...(dontcache === true ? ["RWF_DONTCACHE"] : []),
    ...(sync === undefined ? [] : [sync === "data" ? "RWF_DSYNC" : "RWF_SYNC"]),
  ];
  return flags.join(" | ") || "0";
}

function writeVector(program: ProgramInC<never>, o: Pwrite, tag: number): void {
  program.include("sys/uio.h");
  const pieces = iovecs(program, o, tag);
  const vector = `(struct iovec[]){${pieces.join(", ")}}`;
  const pos = o.append === true ? 0 : o.pos;
  program.call(`pwritev2(${program.fd()}, ${vector}, ${pieces.length}, ${pos}, ${flagsOf(o)})`);
}

export const inC: InC<Pwrite, never> = {
  write(program, o, tag) {
    const { pos, len, readable, limit, dontcache } = o;
    if (isPlain(o)) {
      program.call(`pwrite(${program.fd()}, ${program.buffer(tag, readable)}, ${len}, ${pos})`);
      return;
    }
    if (dontcache === true) program.use(DONTCACHE);
    if (limit !== undefined) {
      program.use(LIMIT);
      program.lines(`limit(${limit});`);
    }
    writeVector(program, o, tag);
    if (dontcache === true) {
      program.lines(`need(r != -EOPNOTSUPP, "RWF_DONTCACHE on ext4: not before Linux 6.14");`);
    }
    if (limit !== undefined) program.lines("limit(RLIM_INFINITY);");
  },
};
