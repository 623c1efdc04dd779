import type { HelperInC, InC } from "../../aspects/in-c.ts";
import { duringTag } from "./operation.ts";
import type { DuringOperation, PausedWrite } from "./operation.ts";

/** system/paused-writer.ts, which says what may be called while the writer sleeps. */
const PAUSED: HelperInC = {
  includes: [
    "linux/userfaultfd.h",
    "poll.h",
    "pthread.h",
    "sched.h",
    "string.h",
    "sys/ioctl.h",
    "sys/mman.h",
    "sys/syscall.h",
  ],
  text: `enum { HALF = 4 << 20 };	/* The first half of its buffer is there, the second is missing. */
static char *memory, *rest;
static int faults, ended[2];
static pthread_t thread;
static struct { int fd; long at, len, pos, result; } asked;

static void *writer(void *unused)
{
	asked.result = called(pwrite(asked.fd, memory + HALF - asked.at, asked.len, asked.pos));
	must(write(ended[1], "", 1) == 1);
	return unused;
}

/* A write that comes to missing memory after \`at\` bytes, and sleeps there; whether it does. */
static int paused(int fd, const char *from, long at, long len, long pos)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register missing = { .range.len = HALF, .mode = UFFDIO_REGISTER_MODE_MISSING };
	cpu_set_t cpu;

	/* On the same processor: another would hold new pages back from being dropped. */
	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	memory = mmap(NULL, 2 * HALF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	rest = calloc(1, HALF);
	must(memory != MAP_FAILED && rest);
	/* A kernel without huge pages refuses it. */
	madvise(memory, 2 * HALF, MADV_NOHUGEPAGE);
	memcpy(memory + HALF - at, from, at);
	memcpy(rest, from + at, len - at);
	faults = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	missing.range.start = (unsigned long)memory + HALF;
	need(faults >= 0, "userfaultfd(2): a kernel with CONFIG_USERFAULTFD");
	must(ioctl(faults, UFFDIO_API, &api) == 0);
	must(ioctl(faults, UFFDIO_REGISTER, &missing) == 0 && pipe(ended) == 0);
	asked.fd = fd, asked.at = at, asked.len = len, asked.pos = pos;
	must(pthread_create(&thread, NULL, writer, NULL) == 0);
	struct pollfd either[] = {{faults, POLLIN, 0}, {ended[0], POLLIN, 0}};
	must(poll(either, 2, -1) > 0);
	return either[0].revents != 0;
}

/* The memory comes to be, and the write goes on; or it is taken away, and the write ends short. */
static long resumed(int there)
{
	struct uffdio_copy copy = { .src = (unsigned long)rest, .len = HALF };
	struct uffdio_range range = { .len = HALF };

	copy.dst = range.start = (unsigned long)memory + HALF;
	if (there)
		ioctl(faults, UFFDIO_COPY, &copy);
	else
		must(mprotect(memory + HALF, HALF, PROT_NONE) == 0 && ioctl(faults, UFFDIO_WAKE, &range) == 0);
	must(pthread_join(thread, NULL) == 0);
	close(faults), close(ended[0]), close(ended[1]);
	munmap(memory, 2 * HALF), free(rest);
	return asked.result;
}`,
};

export const inC: InC<PausedWrite, DuringOperation> = {
  write(program, { pos, len, pause_at, during, after }, tag, index) {
    program.use(PAUSED);
    const from = program.buffer(tag, len);
    program.lines(`if (paused(${program.fd()}, ${from}, ${pause_at}, ${len}, ${pos})) {`);
    program.look(0);
    for (const [i, one] of during.entries()) {
      program.during(one, i, duringTag(index, i));
      program.look(i + 1);
    }
    program.lines("}", `r = resumed(${after === "continue" ? 1 : 0});`);
  },
};
