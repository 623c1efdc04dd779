import type { InC } from "../../aspects/in-c.ts";
import type { MmapWrite } from "./operation.ts";

const STORE = {
  includes: ["sys/mman.h"],
  text: `/* Store through a shared mapping, one byte after the other. */
static void store(int fd, long pos, const char *from, long len)
{
	long start = pos - pos % sysconf(_SC_PAGESIZE), bytes = pos + len - start;
	volatile char *to = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, start);

	must(to != MAP_FAILED && madvise((void *)to, bytes, MADV_RANDOM) == 0);
	for (long i = 0; i < len; i++)
		to[pos - start + i] = from[i];
	munmap((void *)to, bytes);
}`,
};

export const inC: InC<MmapWrite, never> = {
  write(program, { pos, len }, tag) {
    program.use(STORE);
    program.lines(`store(${program.fd()}, ${pos}, ${program.buffer(tag, len)}, ${len});`, "r = 0;");
  },
};
